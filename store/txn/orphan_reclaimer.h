// Frees the blocks of contents that nothing refers to any more, a piece at a time: so that an entry
// can let go of a content of any size in one step.
//
// Such contents are records of a directory of their own (format::kOrphanDirectory), which tell how
// far that has come. Each piece is a change like any other, and so survives a crash as a whole; it
// costs what it frees, wherever in the content it lies. Between two pieces others have their turn.
//
// Threads: one caller at a time. It takes shards' locks for moments.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "store/shard/placement.h"
#include "store/shard/shard_set.h"
#include "store/shard/snapshot_set.h"
#include "store/txn/commit.h"

namespace kvfs {

class OrphanReclaimer {
 public:
  // All must outlive the reclaimer.
  OrphanReclaimer(const Shards* shards, const Placement* placement, const SnapshotSet* snapshots,
                  CommitTarget target)
      : shards_(*shards), placement_(*placement), snapshots_(*snapshots), target_(target) {}

  // Frees pieces as long as `has_room` says so, which gets the bytes of memory that those before
  // have taken. True if some were freed, and more are left. Damage is passed over.
  // Its changes go to the log, which must have been begun.
  Result<bool> Run(const std::function<bool(uint64_t bytes)>& has_room);

 private:
  // A content, and the first of its chunks that may be left.
  struct Orphan {
    uint64_t content;
    uint64_t first;
  };
  struct Piece {
    uint64_t bytes = 0;  // of memory
    uint64_t end = 0;    // behind its last chunk
    bool is_last = true;
  };
  std::optional<Orphan> NextOrphan(uint32_t shard, uint64_t from) const;
  Result<Piece> FreeOnePiece(uint32_t shard, const Orphan& orphan);
  std::pair<uint64_t, uint64_t> EndOfPiece(uint32_t shard, const Orphan& orphan) const;

  const Shards& shards_;
  const Placement& placement_;
  const SnapshotSet& snapshots_;
  const CommitTarget target_;
  std::vector<uint64_t> damaged_;  // contents that could not be freed
};

}  // namespace kvfs
