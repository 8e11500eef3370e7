// The order in which the store's locks are taken (docs/concurrency.md), checked in builds with
// assertions: a thread takes only locks of a higher rank than those it holds. Without assertions
// these are plain mutexes.
//
// (Abseil and Linux's lockdep look for cycles. Here the order is known, so the first wrong step
// fails, whether or not another thread takes the opposite order.)
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>

#include "store/base/fair_shared_mutex.h"

namespace kvfs {

// Locks of one rank are never held together, except the shards' locks, which are ordered by index.
enum class LockRank : uint32_t {
  kFullDisk = 1,  // Engine::full_disk_
  kCheckpoint,    // Checkpointer::running_
  kShard = 100,   // and one more for each shard
  kLogFlush = 1000,
  kLog,
  kBacking,
  kBlockAllocator,
  kBlocks,
  kCheckpointRequests,
  kSnapshots,
  kFailureLatch,
};

#ifdef NDEBUG

template <typename Mutex>
class Ranked : public Mutex {
 public:
  explicit Ranked(LockRank, uint32_t = 0) {}
};

#else

// The ranks that this thread holds, ascending. Allocates nothing, so that locking cannot fail.
class HeldRanks {
 public:
  static void Add(uint32_t rank) {
    Ranks& held = Held();
    assert((held.count == 0 || held.ranks[held.count - 1] < rank) &&
           "locks are taken in the wrong order");
    assert(held.count < held.ranks.size());
    held.ranks[held.count++] = rank;
  }
  static void Remove(uint32_t rank) {
    Ranks& held = Held();
    const auto end = held.ranks.begin() + static_cast<ptrdiff_t>(held.count);
    const auto found = std::find(held.ranks.begin(), end, rank);
    assert(found != end && "a lock is released that is not held");
    std::copy(found + 1, end, found);
    --held.count;
  }

 private:
  // Room for one lock of each kind, and those of all shards.
  struct Ranks {
    std::array<uint32_t, 320> ranks;
    size_t count;
  };
  static Ranks& Held() {
    thread_local Ranks held{};
    return held;
  }
};

template <typename Mutex>
class Ranked {
 public:
  explicit Ranked(LockRank rank, uint32_t index = 0) : rank_(static_cast<uint32_t>(rank) + index) {}

  void lock() {
    HeldRanks::Add(rank_);
    mutex_.lock();
  }
  void unlock() {
    mutex_.unlock();
    HeldRanks::Remove(rank_);
  }
  void lock_shared() {
    HeldRanks::Add(rank_);
    mutex_.lock_shared();
  }
  void unlock_shared() {
    mutex_.unlock_shared();
    HeldRanks::Remove(rank_);
  }

 private:
  const uint32_t rank_;
  Mutex mutex_;
};

#endif

using RankedMutex = Ranked<std::mutex>;
using RankedSharedMutex = Ranked<FairSharedMutex>;

}  // namespace kvfs
