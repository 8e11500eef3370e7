// A batch with the places of its keys, which are computed once for all that is done with it.
#pragma once

#include <vector>

#include <kvfs/batch.h>
#include "store/shard/placement.h"
#include "store/shard/shard_set.h"

namespace kvfs {

class PlacedBatch {
 public:
  // The batch must outlive it.
  PlacedBatch(const Placement& placement, const Batch& batch) : operations_(batch.operations()) {
    places_.reserve(operations_.size());
    for (const Batch::Operation& operation : operations_) {
      Places& places = places_.emplace_back();
      places.at = placement.PlaceOf(operation.key.directory, operation.key.name);
      if (!Batch::HasSecondKey(operation.kind)) continue;
      places.to = placement.PlaceOf(operation.to.directory, operation.to.name);
    }
  }

  const std::vector<Batch::Operation>& operations() const { return operations_; }
  const Places& places(size_t index) const { return places_[index]; }
  // The shards of all its keys.
  ShardSet Shards() const {
    ShardSet set;
    for (size_t i = 0; i < operations_.size(); ++i) {
      set.set(places_[i].at.shard);
      if (Batch::HasSecondKey(operations_[i].kind)) set.set(places_[i].to.shard);
    }
    return set;
  }

 private:
  const std::vector<Batch::Operation>& operations_;
  std::vector<Places> places_;
};

}  // namespace kvfs
