// Differences from the expected number, zigzag so that small negative ones are small, too.
#include "store/format/block_list.h"

namespace kvfs::format {
namespace {

uint64_t ZigZag(uint64_t difference) { return difference << 1 ^ (0 - (difference >> 63)); }
uint64_t UnZigZag(uint64_t code) { return code >> 1 ^ (0 - (code & 1)); }

}  // namespace

void AppendBlockList(std::span<const BlockPointer> blocks, std::vector<std::byte>* out) {
  std::byte item[kMaxBlockListItemBytes];
  uint64_t expected = 0;
  for (const BlockPointer& block : blocks) {
    std::byte* at = item;
    if (block.IsHole()) {
      at = PutVarint(at, 0);
    } else {
      const uint64_t unwritten = block.IsUnwritten() ? 1 : 0;
      at = PutVarint(at, 1 + (ZigZag(block.Place() - expected) << 1 | unwritten));
      expected = block.Place() + 1;
      if (!block.IsUnwritten()) {
        StoreLittle(at, block.checksum);
        at += sizeof(uint64_t);
      }
    }
    out->insert(out->end(), item, at);
  }
}

std::optional<size_t> DecodeBlockList(Bytes bytes, std::span<BlockPointer> blocks) {
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  uint64_t expected = 0;
  for (BlockPointer& block : blocks) {
    uint64_t code;
    at = GetVarint(at, end, &code);
    if (at == nullptr) return std::nullopt;
    block = {};
    if (code == 0) continue;
    const uint64_t number = expected + UnZigZag((code - 1) >> 1);
    if (number == 0 || number >= kMaxNumber) return std::nullopt;
    expected = number + 1;
    if (((code - 1) & 1) != 0) {
      block.number = number | BlockPointer::kUnwritten;
      continue;
    }
    if (end - at < static_cast<ptrdiff_t>(sizeof(uint64_t))) return std::nullopt;
    block = {number, LoadLittle<uint64_t>(at)};
    at += sizeof(uint64_t);
  }
  return static_cast<size_t>(at - bytes.data());
}

}  // namespace kvfs::format
