// Walks the pages of one level of a tree from left to right, without reading them: for each page it
// gives the pointer and the range of keys.
#pragma once

#include <vector>

#include "store/btree/tree.h"

namespace kvfs {

class LevelWalker {
 public:
  // Level 1 is the leaves; `level` is at most the tree's height.
  LevelWalker(const Tree& tree, uint32_t level) : tree_(&tree), level_(level) {}

  // Moves to the page whose range contains `key`. kCorrupt if a branch on the way is damaged; the
  // methods below then concern that branch.
  Result<void> Seek(const format::RecordKey& key);
  // Moves to the next page; false at the end. kCorrupt as for Seek.
  Result<bool> Next();

  uint32_t level() const { return tree_->root().height - static_cast<uint32_t>(path_.size()); }
  format::PagePointer page() const;
  bool HasParent() const { return !path_.empty(); }
  // The page's key in its parent.
  format::RecordKey StoredKey() const { return path_.back().branch.Key(path_.back().index); }
  // The lower bound of the page's keys, inclusive; the leftmost page also has all lower keys.
  format::RecordKey LowerKey() const;
  // The upper bound of the page's keys, exclusive.
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
