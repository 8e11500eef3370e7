// Builds a shard's next tree from its last one and a row of changes, for a checkpoint.
//
// Works level by level, from the leaves up. In each level it visits the changed pages in order;
// their records, merged with the changes, go into new pages, which are written at once. The result
// is a row of changes for the level above. Unchanged pages stay where they are, in both trees.
//
// One rule keeps pages full, whether the tree grows or shrinks: if the new pages of a visit would
// be less than three quarters full, the visit takes in the next page too.
//
// A damaged page cannot be merged. Its changes go into an *incomplete* leaf in its place
// (format/leaf.h), so that no acknowledged change is lost, and lost keys are not reported as
// absent; the damaged page stays in use, for a repair to examine.
//
// Threads: one at a time for each shard; readers of the last tree go on.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "store/btree/level_writer.h"

namespace kvfs {

struct TreeWriterOptions {
  uint64_t epoch = 0;          // of the new pages
  uint32_t fill_percent = 94;  // of the pages in a long row of new ones
  bool rewrites_all = false;   // also the unchanged pages
};

struct WrittenTree {
  TreeRoot root;
  std::vector<Run> allocated;   // pages only in the new tree; pinned
  std::vector<uint64_t> freed;  // pages only in the last tree
  bool has_met_damage = false;  // on pages that were to be rewritten
};

class TreeWriter {
 public:
  // Both must outlive the writer.
  TreeWriter(const Pages* pages, BlockAllocator* space, TreeWriterOptions options)
      : pages_(pages),
        options_(options),
        maker_(&pages->file(), space, pages->page_bytes(), options.epoch, options.fill_percent) {}

  // `changes` ascend by key, with one change for each key; they and the last tree must stay
  // readable. Call it once. After an error all new pages are released. kRetry: the disk failed to
  // deliver a page meanwhile; another writer will read it, or find it damaged.
  Result<WrittenTree> Write(const TreeRoot& last, std::span<const TreeChange> changes);

  struct Bound {
    uint64_t pages = 0;  // that Write takes
    TreeRoot root;       // the size of the tree that it makes
  };
  // Upper bound of what Write needs for `changes` changes whose records have `record_bytes` bytes
  // in leaves (MostLeafRecordBytes). It may be exceeded if branches hold keys with names; if the
  // disk then has no space, Write fails and nothing is lost.
  static Bound BoundOf(const TreeRoot& last, uint64_t changes, uint64_t record_bytes,
                       uint32_t page_bytes);

 private:
  using Changes = std::vector<BranchChange>;

  Result<Changes> WriteLeaves(const Tree& last, std::span<const TreeChange> changes);
  Result<void> Graft(const Tree& last, const DamagedPart<TreeChange>& part);
  Result<TreeRoot> BuildUp(const Tree& last, Changes top, uint32_t height);
  Result<void> Collapse(TreeRoot* root);

  const Pages* pages_;
  const TreeWriterOptions options_;
  PageWriter maker_;
  bool has_written_ = false;
  bool has_left_root_ = false;
  bool has_met_damage_ = false;
  std::map<uint32_t, Changes> grafted_;  // by the level that receives them
};

}  // namespace kvfs
