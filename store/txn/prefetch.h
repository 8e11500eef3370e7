// Looks up the entries of a batch before their shards are locked, so that no lock is held while a
// page is read from disk. Under the lock, lookups that are still valid are used.
//
// Several keys of a shard are looked up together, with interleaved steps, so that their cache
// misses overlap.
//
// Threads: belongs to one call of Store::Apply. Takes shards' locks briefly.
#pragma once

#include <span>
#include <vector>

#include "store/txn/placed_batch.h"
#include "store/txn/transaction.h"

namespace kvfs {

class Prefetch {
 public:
  // All must outlive it.
  Prefetch(const Shards& shards, const PlacedBatch& batch);

  // The lookups of operation `index`.
  std::span<const PrefetchedRecord> Of(size_t index) const {
    return std::span(looks_).subspan(begins_[index], begins_[index + 1] - begins_[index]);
  }

 private:
  void LookEach(const Shard& shard, std::span<PrefetchedRecord* const> looks);

  std::vector<PrefetchedRecord> looks_;
  std::vector<size_t> begins_;
  std::vector<std::shared_ptr<const TreeVersion>> trees_;  // that lookups refer to
};

}  // namespace kvfs
