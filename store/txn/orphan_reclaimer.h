// Frees the blocks of orphaned contents, a piece at a time, so that an entry can drop a content of
// any size in one step.
//
// Orphaned contents are records in a directory of their own (format::kOrphanDirectory), which store
// the progress. Freeing a piece is a logged change like any other, and so atomic across a crash;
// its cost depends only on what it frees. Other changes run between two pieces.
//
// Threads: one caller at a time. Takes shards' locks briefly.
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

  // Frees pieces while `has_room` returns true; its argument is the memory in bytes that the
  // earlier pieces have taken. Returns true if some were freed and more are left. Damaged contents
  // are skipped. The changes go to the log, which must accept records.
  Result<bool> Run(const std::function<bool(uint64_t bytes)>& has_room);

 private:
  // A content, and the first chunk that it may still have.
  struct Orphan {
    uint64_t content;
    uint64_t first;
  };
  struct Piece {
    uint64_t bytes = 0;  // of memory
    uint64_t end = 0;    // one past its last chunk
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
