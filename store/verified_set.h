// Remembers which pages were found sound lately, so that a page is checked once and not at every
// look: a table of fixed size with one slot a page may fall into, so its memory is bounded, and a
// page that was not looked at for long is checked again, as it may have come from the disk anew.
// Every mapped page that the disk failed to give (File::ViewFaults) lets all of them be checked
// again.
//
// Threads: safe from many. A lost race costs another check, never a missing one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <random>

#include "store/format/pointer.h"

namespace kvfs {

class VerifiedSet {
 public:
  bool Contains(format::PagePointer page, uint64_t faults) const {
    return Slot(page).load(std::memory_order_relaxed) == Tag(page, faults);
  }
  // `faults` as it was before the check.
  void Insert(format::PagePointer page, uint64_t faults) const {
    Slot(page).store(Tag(page, faults), std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kSlots = size_t{1} << 15;

  // A hash with a secret, so that no file can be made in which a damaged page has the tag of a
  // sound one. Never 0, which means that a slot is empty.
  uint64_t Tag(format::PagePointer page, uint64_t faults) const {
    uint64_t hash = secret_;
    for (uint64_t part : {page.number, page.epoch, faults}) {
      hash = (hash ^ part) * 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
      hash ^= hash >> 32;
    }
    return hash | 1;
  }
  std::atomic<uint64_t>& Slot(format::PagePointer page) const {
    return slots_[page.number % kSlots];
  }

  const uint64_t secret_ = uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  mutable std::array<std::atomic<uint64_t>, kSlots> slots_{};
};

}  // namespace kvfs
