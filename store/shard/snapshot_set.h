// The existing snapshots: writers must know up to which version records may still be needed.
//
// A snapshot is added while the locks of all shards are held shared, and a writer reads newest()
// while it holds its shard's lock exclusive: so it knows of every snapshot taken before its change.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>

#include "store/base/lock_rank.h"

namespace kvfs {

class SnapshotSet {
 public:
  void Add(uint64_t version) {
    const MutexLock lock(mutex_);
    versions_.insert(version);
    newest_ = *versions_.rbegin();
  }
  void Remove(uint64_t version) {
    const MutexLock lock(mutex_);
    versions_.erase(versions_.find(version));
    newest_ = versions_.empty() ? 0 : *versions_.rbegin();
  }
  // The version of the newest snapshot; 0 if there is none.
  uint64_t newest() const { return newest_.load(std::memory_order_acquire); }
  size_t count() const {
    const MutexLock lock(mutex_);
    return versions_.size();
  }

 private:
  mutable RankedMutex mutex_{LockRank::kSnapshots};
  std::multiset<uint64_t> versions_ KVFS_GUARDED_BY(mutex_);
  std::atomic<uint64_t> newest_ = 0;
};

}  // namespace kvfs
