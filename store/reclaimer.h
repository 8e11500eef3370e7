// Frees the blocks of contents that nothing refers to any more, a piece at a time: so that an entry
// can let go of a content of any size in one step.
//
// Such contents are records of a space of their own (format::kDeadSpace). Each piece is a change
// like any other, and so survives a crash as a whole.
//
// Threads: one caller at a time. It takes shards' locks for moments.
#pragma once

#include <optional>

#include "store/commit.h"
#include "store/placement.h"
#include "store/shard_set.h"
#include "store/snapshot_set.h"

namespace kvfs {

class Reclaimer {
 public:
  // All must outlive the reclaimer.
  Reclaimer(const Shards* shards, const Placement* placement, const SnapshotSet* snapshots,
            CommitTarget target)
      : shards_(*shards), placement_(*placement), snapshots_(*snapshots), target_(target) {}

  // Frees all that there is to free now. Damage is passed over.
  Result<void> Run();

 private:
  Result<bool> FreeOnePiece(uint32_t shard);
  std::optional<uint64_t> FirstDead(uint32_t shard) const;
  uint64_t EndOfPiece(uint32_t shard, uint64_t content) const;

  const Shards& shards_;
  const Placement& placement_;
  const SnapshotSet& snapshots_;
  const CommitTarget target_;
  std::vector<uint64_t> damaged_;  // contents that could not be freed
};

}  // namespace kvfs
