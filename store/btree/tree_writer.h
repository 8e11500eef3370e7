// Makes a shard's next tree out of its last one and a row of changes, as a checkpoint does.
//
// Works level by level, from the leaves up. In each level it visits the pages that changes concern,
// in order; their records, merged with the changes, go into new pages, which are written at once.
// What was done to a level is a row of changes of the level above. Pages that nothing concerns stay
// where they are, in both trees.
//
// Pages are kept full by one rule, which serves for growing and for shrinking: where the new pages
// that a visit makes would be less than three quarters full, the page behind is taken in too.
//
// A damaged page cannot be merged with. What changes there are for it go into an *incomplete* leaf
// in its place (format/leaf.h), so that nothing acknowledged is lost, and what was lost is not
// taken for absent; the damaged page stays in use, for a repair to look at.
//
// Threads: one at a time for a shard; readers of the last tree go on.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "store/btree/level_writer.h"

namespace kvfs {

struct TreeWriterOptions {
  uint64_t epoch = 0;          // of the pages that are made
  uint32_t fill_percent = 94;  // of the pages in a long row of new ones
  bool rewrites_all = false;   // also what nothing concerns
};

struct WrittenTree {
  TreeRoot root;
  std::vector<Run> taken;       // pages of the new tree that the last one has not; held
  std::vector<uint64_t> freed;  // pages of the last one that the new tree has not
  bool has_met_damage = false;  // on pages that were to be written anew
};

class TreeWriter {
 public:
  // Both must outlive the writer.
  TreeWriter(const Pages* pages, BlockAllocator* space, TreeWriterOptions options)
      : pages_(pages),
        options_(options),
        maker_(&pages->file(), space, pages->page_bytes(), options.epoch, options.fill_percent) {}

  // `changes` ascend by key and concern each key once; they and the last tree must stay readable.
  // To be called once. After an error all pages are given back. kRetry: the disk failed to deliver
  // a page meanwhile; another writer will see it, or that it is damaged.
  Result<WrittenTree> Write(const TreeRoot& last, std::span<const TreeChange> changes);

  struct Bound {
    uint64_t pages = 0;  // that Write takes
    TreeRoot root;       // the size of the tree that it makes
  };
  // What Write comes to at most, for so many changes whose records have so many bytes in leaves
  // (MostLeafRecordBytes). Should it need more for keys with names in branches, and the disk have
  // none, it fails and nothing is lost.
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
  std::map<uint32_t, Changes> grafted_;  // by the level that gets them
};

}  // namespace kvfs
