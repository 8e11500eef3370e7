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

  // A page number returns only with another epoch. The multiplier, 2^64 / golden ratio, is odd, so
  // two pointers of the same number and faults never share a tag.
  static uint64_t Tag(format::PagePointer page, uint64_t faults) {
    return ((page.epoch + (faults << 48)) * 0x9e3779b97f4a7c15) ^ page.number;
  }
  std::atomic<uint64_t>& Slot(format::PagePointer page) const {
    return slots_[page.number % kSlots];
  }

  // Tag 0 would be that of the null pointer, which nobody looks at.
  mutable std::array<std::atomic<uint64_t>, kSlots> slots_{};
};

}  // namespace kvfs
