// Remembers which pages were verified lately, so that a page is verified now and then and not at
// every access. A page is verified again at its first access kMostSeconds or more after the last
// verification: the disk, or the memory that caches it, may have changed it since. The table has a
// fixed size, with one slot for each hash of a number, so its memory is bounded. Every mapped page
// that the disk fails to deliver (File::ViewFaults) invalidates all of it.
//
// Threads: safe from many. A lost race costs a repeated verification, never a missing one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <random>

namespace kvfs {

class ChecksumCache {
 public:
  static constexpr uint64_t kMostSeconds = 32;

  // A moment, by Env::Seconds and File::ViewFaults. For Insert: taken before the verification.
  struct Moment {
    uint64_t seconds = 0;
    uint64_t faults = 0;
  };

  // `proof` distinguishes the pages that have had one number at different times: the page's epoch.
  bool Contains(uint64_t number, uint64_t proof, Moment now) const {
    return Slot(number).load(std::memory_order_relaxed) == Tag(number, proof, now);
  }
  void Insert(uint64_t number, uint64_t proof, Moment checked) const {
    Slot(number).store(Tag(number, proof, checked), std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kSlots = size_t{1} << 15;

  // A hash with a secret, so that no crafted file can give a damaged page the tag of a sound one.
  // Never 0, which marks an empty slot. A tag is valid for one round of the clock, which ends at a
  // different second for each number, so that not all pages are verified again at once.
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
