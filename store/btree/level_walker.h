// Walks the pages of one level of a tree from left to right, without reading them: for each it
// tells the pointer to it and the keys that belong below it.
#pragma once

#include <vector>

#include "store/btree/tree.h"

namespace kvfs {

class LevelWalker {
 public:
  // Level 1 are the leaves; `level` is at most the tree's height.
  LevelWalker(const Tree& tree, uint32_t level) : tree_(&tree), level_(level) {}

  // To the page below which `key` belongs. kCorrupt if a branch on the way is damaged; then
  // DamagedLevel tells its level, and the methods below concern it.
  Result<void> Seek(const format::RecordKey& key);
  // To the next page; false at the end. After kCorrupt as for Seek.
  Result<bool> Next();

  uint32_t level() const { return tree_->root().height - static_cast<uint32_t>(path_.size()); }
  format::PagePointer page() const;
  bool HasParent() const { return !path_.empty(); }
  // The page's key in its parent.
  format::RecordKey StoredKey() const { return path_.back().branch.Key(path_.back().index); }
  // Keys from here on belong below the page; of the leftmost all lower ones, too.
  format::RecordKey LowerKey() const;
  // Keys from here on do not.
  bool HasUpperKey() const { return UpperStep() != nullptr; }
  format::RecordKey UpperKey() const;

 private:
  struct Step {
    format::BranchView branch;
    uint32_t index;
  };
  Result<void> Descend(const format::RecordKey* key);
  const Step* UpperStep() const;

  const Tree* tree_;
  const uint32_t level_;
  std::vector<Step> path_;  // the branches above the page
};

}  // namespace kvfs
