// Count of blocks, then their list.
#include "store/format/chunk.h"

#include "store/format/varint.h"

namespace kvfs::format {

Result<Chunk> Chunk::Decode(Bytes value) {
  Chunk chunk;
  if (value.empty()) return Fail(ErrorCode::kCorrupt, "a chunk is empty");
  const auto count = static_cast<size_t>(value[0]);
  if (count == 0 || count > kBlocksPerChunk) {
    return Fail(ErrorCode::kCorrupt, "a chunk has an impossible number of blocks");
  }
  const auto bytes = DecodeBlockList(value.subspan(1), std::span(chunk.blocks).first(count));
  if (!bytes || *bytes + 1 != value.size() || chunk.blocks[count - 1].IsHole()) {
    return Fail(ErrorCode::kCorrupt, "a chunk's blocks are malformed");
  }
  return chunk;
}

std::vector<std::byte> Chunk::Encode() const {
  size_t count = kBlocksPerChunk;
  while (count > 0 && blocks[count - 1].IsHole()) --count;
  std::vector<std::byte> out;
  if (count == 0) return out;
  out.reserve(1 + count * 10);
  out.push_back(static_cast<std::byte>(count));
  AppendBlockList(std::span(blocks).first(count), &out);
  return out;
}

std::vector<std::byte> EncodeFirstLeft(uint64_t chunk) {
  std::vector<std::byte> value(kMaxVarintBytes);
  value.resize(static_cast<size_t>(PutVarint(value.data(), chunk) - value.data()));
  return value;
}

uint64_t DecodeFirstLeft(Bytes value) {
  uint64_t chunk = 0;
  const std::byte* const end = value.data() + value.size();
  return GetVarint(value.data(), end, &chunk) == end ? chunk : 0;
}

}  // namespace kvfs::format
