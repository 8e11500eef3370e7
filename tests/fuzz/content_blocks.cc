// Block lists of a content: one in a chunk's record, and one alone with the number of blocks in the
// first byte.
#include <algorithm>

#include "store/format/block_list.h"
#include "store/format/chunk.h"
#include "tests/fuzz/target.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::fuzz {
namespace {

using format::BlockPointer;
using format::Chunk;

void TryChunk(Bytes value) {
  const auto chunk = Chunk::Decode(value);
  if (!chunk) return;
  const auto encoded = chunk->Encode();
  Require(!encoded.empty(), "a chunk that has a record has a block");
  const auto again = Chunk::Decode(encoded);
  Require(again && std::ranges::equal(chunk->blocks, again->blocks),
          "a chunk encodes to an equal one");
}

void TryList(Bytes input) {
  if (input.empty()) return;
  std::vector<BlockPointer> blocks(static_cast<size_t>(input[0]) % 40), again(blocks.size());
  const auto bytes = format::DecodeBlockList(input.subspan(1), blocks);
  if (!bytes) return;
  Require(*bytes < input.size(), "a list ends inside its bytes");
  for (const BlockPointer& block : blocks) {
    Require(block.Place() < format::kMaxNumber, "blocks have possible numbers");
    Require(!block.IsUnwritten() || block.Place() != 0, "a hole is no block");
  }
  std::vector<std::byte> encoded;
  format::AppendBlockList(blocks, &encoded);
  const auto length = format::DecodeBlockList(encoded, again);
  Require(length == encoded.size() && blocks == again, "a list encodes to an equal one");
}

void Run(Bytes input) {
  const Input bytes = Resized(input, input.size());
  TryChunk(bytes);
  TryList(bytes);
}

std::vector<Input> Seeds() {
  Chunk full;
  for (uint64_t i = 0; i < format::kBlocksPerChunk; ++i) {
    const bool unwritten = i % 5 == 0;
    full.blocks[i] = {(1000 + i * i) | (unwritten ? BlockPointer::kUnwritten : 0),
                      unwritten ? 0 : i};
  }
  return {format::WorkedExample().at("chunk"), full.Encode()};
}

}  // namespace

const Target kContentBlocks = {"content_blocks", Run, Seeds, 20'000};

}  // namespace kvfs::fuzz
