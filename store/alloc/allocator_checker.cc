// Compares the map, as a row of bits, with another row.
#include "store/alloc/allocator_checker.h"

#include <algorithm>

#include "store/alloc/block_allocator.h"

namespace kvfs {

using format::BlockPointer;
using format::kBlockBytes;

void AllocatorChecker::Load(const Visit& visit) {
  if (root_.levels > 0) LoadNode(root_.root, root_.levels - 1, 0, visit);
}

void AllocatorChecker::LoadNode(BlockPointer block, uint32_t level, uint64_t index,
                                const Visit& visit) {
  if (block.IsHole() || session_.ended()) return;
  std::vector<std::byte> bytes(kBlockBytes);
  const bool is_sound = visit(block);
  const auto read = is_sound ? blocks_.Read(block, 0, bytes) : Result<void>();
  if (!read && read.error().code != ErrorCode::kCorrupt) session_.Abandon(read.error());
  if (!is_sound || !read) {
    is_damaged_ = true;
    return;
  }
  if (level == 0) return LoadBitmap(bytes, index);
  for (uint64_t i = 0; i < kMapFanout; ++i) {
    const auto below = BlockPointer::Decode(bytes.data() + i * BlockPointer::kBytes);
    LoadNode(below, level - 1, index * kMapFanout + i, visit);
  }
}

void AllocatorChecker::LoadBitmap(Bytes bitmap, uint64_t index) {
  for (uint64_t i = 0; i < kMapNumbers; ++i) {
    if ((static_cast<unsigned>(bitmap[i / 8]) >> i % 8 & 1) == 0) continue;
    const uint64_t number = index * kMapNumbers + i;
    if (number >= used_.size()) {
      is_damaged_ = true;
      return session_.Damage(name_ + " calls " + std::to_string(number) +
                             " used, which is beyond the file's end");
    }
    used_[number] = true;
  }
}

void AllocatorChecker::Compare(const std::vector<bool>& reached, uint64_t used, bool has_gaps) {
  if (is_damaged_ || session_.ended()) return;
  uint64_t total = 0, unreached = 0, first_unmarked = 0, unmarked = 0;
  for (uint64_t number = 1; number < used_.size(); ++number) {
    const bool is_reached = number < reached.size() && reached[number];
    total += used_[number] ? 1 : 0;
    unreached += used_[number] && !is_reached ? 1 : 0;
    if (is_reached && !used_[number] && unmarked++ == 0) first_unmarked = number;
  }
  if (unmarked > 0) {
    session_.Damage(name_ + " calls " + std::to_string(unmarked) +
                    " free that are in use, the first of them " + std::to_string(first_unmarked) +
                    ": they may be written over");
  }
  if (unreached > 0 && !has_gaps) {
    session_.Space(name_ + " calls " + std::to_string(unreached) + " (" +
                   std::to_string(unreached * unit_bytes_) +
                   " bytes) used to which nothing refers");
  }
  if (total != used) {
    session_.Space(name_ + " calls " + std::to_string(total) + " used, and the checkpoint says " +
                   std::to_string(used));
  }
}

}  // namespace kvfs
