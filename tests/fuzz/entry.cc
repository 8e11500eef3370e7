// The value of an entry's record: an accepted value is consistent, and encodes to an equal one.
#include "store/format/entry.h"

#include <algorithm>

#include "tests/fuzz/target.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::fuzz {
namespace {

using format::ContentShape;
using format::Entry;

void RequireEqual(const Entry& one, const Entry& other) {
  Require(one.id == other.id && one.size == other.size && one.meta == other.meta &&
              std::ranges::equal(one.tail, other.tail) &&
              std::ranges::equal(one.direct, other.direct) && one.content == other.content &&
              one.allocated == other.allocated,
          "an entry encodes to an equal one");
}

void RequireSizes(const Entry& entry, uint32_t limit) {
  const auto shape = ContentShape::Of(entry.size, limit);
  Require(entry.tail.size() == shape.tail, "the tail has its size");
  Require(shape.TailBegin() + shape.tail >= entry.size, "blocks and tail cover the content");
  if (!shape.IsDirect()) return;
  std::vector<format::BlockPointer> blocks(shape.blocks);
  const auto bytes = format::DecodeBlockList(entry.direct, blocks);
  Require(bytes == entry.direct.size(), "the block list is all there");
  for (const auto& block : blocks) {
    Require(block.Place() < format::kMaxNumber, "blocks have possible numbers");
  }
}

void Run(Bytes input) {
  const Input value = Resized(input, input.size());
  for (const uint32_t page_bytes : {format::kMinPageBytes, format::kMaxPageBytes}) {
    const uint32_t limit = format::InlineLimitBytes(page_bytes);
    const auto entry = Entry::Decode(value, limit);
    if (!entry) continue;
    RequireSizes(*entry, limit);
    Input encoded;
    entry->Encode(limit, &encoded);
    const auto again = Entry::Decode(encoded, limit);
    Require(again.has_value(), "what was encoded is accepted");
    RequireEqual(*entry, *again);
  }
}

std::vector<Input> Seeds() {
  const auto example = format::WorkedExample();
  return {example.at("inline-entry"), example.at("entry-with-blocks"),
          example.at("entry-with-chunks")};
}

}  // namespace

const Target kEntry = {"entry", Run, Seeds, 20'000};

}  // namespace kvfs::fuzz
