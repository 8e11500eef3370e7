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

#include "store/base/fair_shared_mutex.h"
#include "store/base/mutex.h"

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

class Rank {
 public:
  explicit Rank(LockRank, uint32_t) {}
  void NoteTaken() const {}
  void NoteReleased() const {}
  void RequireHeld() const {}
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
  static bool Has(uint32_t rank) {
    const Ranks& held = Held();
    return std::binary_search(held.ranks.begin(),
                              held.ranks.begin() + static_cast<ptrdiff_t>(held.count), rank);
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

class Rank {
 public:
  Rank(LockRank rank, uint32_t index) : rank_(static_cast<uint32_t>(rank) + index) {}
  void NoteTaken() const { HeldRanks::Add(rank_); }
  void NoteReleased() const { HeldRanks::Remove(rank_); }
  void RequireHeld() const { assert(HeldRanks::Has(rank_) && "a lock is not held that must be"); }

 private:
  const uint32_t rank_;
};

#endif

template <typename Lock>
class KVFS_CAPABILITY("mutex") Ranked {
 public:
  explicit Ranked(LockRank rank, uint32_t index = 0) : rank_(rank, index) {}
  Ranked(const Ranked&) = delete;
  Ranked& operator=(const Ranked&) = delete;

  void lock() KVFS_ACQUIRE() {
    rank_.NoteTaken();
    mutex_.lock();
  }
  void unlock() KVFS_RELEASE() {
    mutex_.unlock();
    rank_.NoteReleased();
  }
  void lock_shared() KVFS_ACQUIRE_SHARED() {
    rank_.NoteTaken();
    mutex_.lock_shared();
  }
  void unlock_shared() KVFS_RELEASE_SHARED() {
    mutex_.unlock_shared();
    rank_.NoteReleased();
  }
  // Tells the check that the lock is held, where it cannot know; builds with assertions look.
  void AssertHeld() const KVFS_ASSERTS_HELD { rank_.RequireHeld(); }
  void AssertShared() const KVFS_ASSERTS_SHARED { rank_.RequireHeld(); }

 private:
  [[no_unique_address]] const Rank rank_;
  Lock mutex_;
};

using RankedMutex = Ranked<std::mutex>;
using RankedSharedMutex = Ranked<FairSharedMutex>;

}  // namespace kvfs
