// Remembers which pages (or blocks) were found sound lately, so that each is checked once and not
// at every look: a table of fixed size with one slot a number may fall into, so its memory is
// bounded, and what was not looked at for long is checked again, as it may have come from the disk
// anew. Every mapped page that the disk failed to give (File::ViewFaults) lets all of them be
// checked again.
//
// Threads: safe from many. A lost race costs another check, never a missing one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <random>

namespace kvfs {

class VerifiedSet {
 public:
  // `proof` tells apart what lies in one place at different times: a page's epoch, a block's
  // checksum.
  bool Contains(uint64_t number, uint64_t proof, uint64_t faults) const {
    return Slot(number).load(std::memory_order_relaxed) == Tag(number, proof, faults);
  }
  // `faults` as it was before the check.
  void Insert(uint64_t number, uint64_t proof, uint64_t faults) const {
    Slot(number).store(Tag(number, proof, faults), std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kSlots = size_t{1} << 15;

  // A hash with a secret, so that no file can be made in which something damaged has the tag of
  // something sound. Never 0, which means that a slot is empty.
  uint64_t Tag(uint64_t number, uint64_t proof, uint64_t faults) const {
    constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
    uint64_t hash = (secret_ ^ number) * kMultiplier;
    hash = (hash ^ hash >> 32 ^ proof) * kMultiplier;
    hash ^= hash >> 32;
    return (hash + faults) | 1;
  }
  std::atomic<uint64_t>& Slot(uint64_t number) const { return slots_[number % kSlots]; }

  const uint64_t secret_ = uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  mutable std::array<std::atomic<uint64_t>, kSlots> slots_{};
};

}  // namespace kvfs
