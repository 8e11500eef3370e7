// Remembers which pages were found sound lately, so that each is checked now and then and not at
// every look. What was checked is checked again at the first look kMostSeconds later at the latest,
// however often it is looked at: the disk, or the memory that caches it, may have changed it since.
// A table of fixed size with one slot a number may fall into, so its memory is bounded. Every
// mapped page that the disk failed to give (File::ViewFaults) lets all of them be checked again.
//
// Threads: safe from many. A lost race costs another check, never a missing one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <random>

namespace kvfs {

class ChecksumCache {
 public:
  static constexpr uint64_t kMostSeconds = 32;

  // When, by Env::Seconds and File::ViewFaults. For Insert: as it was before the check.
  struct Moment {
    uint64_t seconds = 0;
    uint64_t faults = 0;
  };

  // `proof` tells apart what lies in one place at different times: a page's epoch.
  bool Contains(uint64_t number, uint64_t proof, Moment now) const {
    return Slot(number).load(std::memory_order_relaxed) == Tag(number, proof, now);
  }
  void Insert(uint64_t number, uint64_t proof, Moment checked) const {
    Slot(number).store(Tag(number, proof, checked), std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kSlots = size_t{1} << 15;

  // A hash with a secret, so that no file can be made in which something damaged has the tag of
  // something sound. Never 0, which means that a slot is empty. It holds for one round of the
  // clock, which ends at another second for each number, so that not all are checked anew at once.
  uint64_t Tag(uint64_t number, uint64_t proof, Moment moment) const {
    constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
    uint64_t hash = (secret_ ^ number) * kMultiplier;
    hash = (hash ^ hash >> 32 ^ proof) * kMultiplier;
    hash ^= hash >> 32;
    const uint64_t round = (moment.seconds + number % kMostSeconds) / kMostSeconds;
    return (hash + (moment.faults << 33) + (round << 1)) | 1;
  }
  std::atomic<uint64_t>& Slot(uint64_t number) const { return slots_[number % kSlots]; }

  const uint64_t secret_ = uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  mutable std::array<std::atomic<uint64_t>, kSlots> slots_{};
};

}  // namespace kvfs
