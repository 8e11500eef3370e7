// The shards of a store, and sets of them: those that a change touches, those that are locked.
#pragma once

#include <bitset>
#include <memory>
#include <vector>

#include "store/format/superblock.h"
#include "store/shard/shard.h"

namespace kvfs {

using Shards = std::vector<std::unique_ptr<Shard>>;
using ShardSet = std::bitset<format::kMaxShards>;

inline ShardSet AllShards(const Shards& shards) {
  ShardSet all;
  for (size_t i = 0; i < shards.size(); ++i) all.set(i);
  return all;
}

// Holds the locks of a set of shards exclusively, taken in ascending order. Which shards these are
// is known only at run time: so the check is not done here, and where a shard is used under such
// locks, its mutex's AssertHeld() says so.
class ExclusiveLocks {
 public:
  ExclusiveLocks(const Shards& shards, const ShardSet& set) KVFS_NO_THREAD_SAFETY_ANALYSIS
      : shards_(shards),
        set_(set) {
    for (size_t i = 0; i < shards_.size(); ++i) {
      if (set_[i]) shards_[i]->mutex.lock();
    }
  }
  ~ExclusiveLocks() KVFS_NO_THREAD_SAFETY_ANALYSIS {
    for (size_t i = 0; i < shards_.size(); ++i) {
      if (set_[i]) shards_[i]->mutex.unlock();
    }
  }
  ExclusiveLocks(const ExclusiveLocks&) = delete;
  ExclusiveLocks& operator=(const ExclusiveLocks&) = delete;

  bool Has(uint32_t shard) const { return set_[shard]; }
  const ShardSet& set() const { return set_; }

 private:
  const Shards& shards_;
  const ShardSet set_;
};

// The same for all shards, shared.
class SharedLocks {
 public:
  explicit SharedLocks(const Shards& shards) KVFS_NO_THREAD_SAFETY_ANALYSIS : shards_(shards) {
    for (const auto& shard : shards_) shard->mutex.lock_shared();
  }
  ~SharedLocks() KVFS_NO_THREAD_SAFETY_ANALYSIS {
    for (const auto& shard : shards_) shard->mutex.unlock_shared();
  }
  SharedLocks(const SharedLocks&) = delete;
  SharedLocks& operator=(const SharedLocks&) = delete;

 private:
  const Shards& shards_;
};

}  // namespace kvfs
