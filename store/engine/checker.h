// A check of the whole store: the trees, page by page; their records; the allocation maps; then the
// changes in memory, and the superblock.
//
// Trees and maps are those of one checkpoint, pinned by a snapshot: so the check does not see
// concurrent changes, and does not block them.
//
// Threads: one.
#pragma once

#include <kvfs/check.h>
#include "store/alloc/allocator_checker.h"
#include "store/alloc/check_session.h"
#include "store/engine/content_checker.h"
#include "store/engine/engine.h"
#include "store/engine/engine_snapshot.h"

namespace kvfs {

class Checker {
 public:
  // Both must outlive the checker.
  Checker(EngineParts* parts, const CheckOptions* options);

  Result<CheckReport> Run();

 private:
  // A shard's maps, and its tree.
  struct ShardState {
    std::vector<bool> pages;
    bool has_gaps = false;
    std::unique_ptr<AllocatorChecker> page_map;
    std::unique_ptr<AllocatorChecker> block_map;
  };

  uint64_t BytesToCheck() const;
  void CheckSuperblock();
  void CheckIdentity();
  void CheckIdentityCopy();
  void CheckSlots();
  bool HasBoth(const uint64_t (&offsets)[2], size_t length);
  void CheckTree(uint32_t shard);
  void LoadMaps(uint32_t shard);
  void CompareMaps(uint32_t shard);
  void CompareCounts(uint32_t shard);
  void CheckMemory(uint32_t shard);
  uint64_t CountEntries(uint32_t shard);
  void NameDamage();
  bool HasGaps() const;
  const format::ShardRoot& RootOf(uint32_t shard) const {
    return snapshot_->pins()[shard].tree->root;
  }

  EngineParts& parts_;
  const CheckOptions& options_;
  std::unique_ptr<EngineSnapshot> snapshot_;
  std::optional<CheckSession> session_;
  std::optional<ContentChecker> contents_;
  std::vector<ShardState> shards_;
};

}  // namespace kvfs
