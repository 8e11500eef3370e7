// Looks the entries of a batch up before their shards are locked, so that a page that must come
// from the disk holds nobody up. Under the lock the looks are used as far as they still hold.
//
// The keys of a shard are looked up some at a time, in step: while one waits for memory, the
// others' lines are on their way.
//
// Threads: belongs to one call of Store::Apply. It takes shards' locks for moments.
#pragma once

#include <span>
#include <vector>

#include <kvfs/batch.h>
#include "store/shard/placement.h"
#include "store/txn/transaction.h"

namespace kvfs {

class Prefetch {
 public:
  // All must outlive it.
  Prefetch(const Shards& shards, const Placement& placement, const Batch& batch);

  // Those of operation `index`.
  std::span<const PrefetchedRecord> Of(size_t index) const {
    return std::span(looks_).subspan(begins_[index], begins_[index + 1] - begins_[index]);
  }

 private:
  void Add(const Placement& placement, Key key);
  void LookEach(const Shard& shard, std::span<PrefetchedRecord* const> looks);

  std::vector<PrefetchedRecord> looks_;
  std::vector<size_t> begins_;
  std::vector<std::shared_ptr<const TreeVersion>> trees_;  // that looks refer to
};

}  // namespace kvfs
