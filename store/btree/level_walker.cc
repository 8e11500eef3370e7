// The path from the root down to the level's parent.
#include "store/btree/level_walker.h"

namespace kvfs {

using format::BranchView;
using format::PagePointer;
using format::RecordKey;

PagePointer LevelWalker::page() const {
  if (path_.empty()) return tree_->root().page;
  return path_.back().branch.Child(path_.back().index);
}

Result<void> LevelWalker::Seek(const RecordKey& key) {
  path_.clear();
  return Descend(&key);
}

// Descends from the path's end to the level: to the page for `key`, or to the leftmost page.
Result<void> LevelWalker::Descend(const RecordKey* key) {
  while (level() > level_) {
    KVFS_ASSIGN(const format::PageView page, tree_->pages().Read(this->page()));
    if (page.IsLeaf()) return Fail(ErrorCode::kCorrupt, "a tree's leaves are not on one level");
    const BranchView branch(page);
    path_.push_back({branch, key == nullptr ? 0 : branch.ChildIndex(*key)});
  }
  return {};
}

Result<bool> LevelWalker::Next() {
  while (!path_.empty() && path_.back().index + 1 >= path_.back().branch.count()) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().index;
  KVFS_TRY(Descend(nullptr));
  return true;
}

RecordKey LevelWalker::LowerKey() const {
  for (const Step& step : path_) {
    if (step.index > 0) return StoredKey();
  }
  return {};
}

const LevelWalker::Step* LevelWalker::UpperStep() const {
  for (size_t i = path_.size(); i-- > 0;) {
    if (path_[i].index + 1 < path_[i].branch.count()) return &path_[i];
  }
  return nullptr;
}

RecordKey LevelWalker::UpperKey() const {
  const Step* step = UpperStep();
  return step->branch.Key(step->index + 1);
}

}  // namespace kvfs
