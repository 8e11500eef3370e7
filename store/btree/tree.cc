// Descends the tree. Loops in crafted pages end at kMaxTreeHeight, and a cursor detects keys that
// do not ascend.
#include "store/btree/tree.h"

namespace kvfs {

using format::BranchView;
using format::kMaxTreeHeight;
using format::LeafRecord;
using format::LeafView;
using format::PagePointer;
using format::PageView;
using format::RecordKey;

namespace {

Error TooDeep() { return {ErrorCode::kCorrupt, "a tree's branches form a cycle"}; }

Error Incomplete() { return {ErrorCode::kCorrupt, "it may have been on a damaged page"}; }

}  // namespace

Result<LeafRecord> Tree::Find(const RecordKey& key) const {
  PagePointer at = root_.page;
  if (at.IsNull()) return Fail(ErrorCode::kNotFound);
  const uint64_t now = pages_->Seconds();
  for (uint32_t depth = 0; depth < kMaxTreeHeight; ++depth) {
    KVFS_ASSIGN(const PageView page, pages_->Read(at, now));
    if (page.IsLeaf()) {
      const LeafView leaf = pages_->AsLeaf(page);
      if (auto record = leaf.Find(key)) return *record;
      if (leaf.IsIncomplete()) return tl::unexpected(Incomplete());
      return Fail(ErrorCode::kNotFound);
    }
    const BranchView branch(page);
    const uint32_t index = branch.ChildIndex(key);
    if (depth + 2 == root_.height) pages_->Prefetch(branch, index, key);
    at = branch.Child(index);
  }
  return tl::unexpected(TooDeep());
}

void Tree::Prefetch(const RecordKey& key) const {
  PagePointer at = root_.page;
  for (uint32_t level = root_.height; level > 1; --level) {
    const auto page = pages_->Read(at);
    if (!page || page->IsLeaf()) return;
    const BranchView branch(*page);
    const uint32_t index = branch.ChildIndex(key);
    if (level == 2) pages_->Prefetch(branch, index, key);
    at = branch.Child(index);
  }
}

void TreeCursor::NoteDamage(Error error) {
  if (!damage_ || error.code != ErrorCode::kCorrupt) damage_ = std::move(error);
}

std::optional<Error> TreeCursor::damage() const {
  if (damage_ || tree_->pages().file().ViewFaults() == faults_) return damage_;
  return Error{ErrorCode::kUnavailable, "the disk failed to deliver a page under a listing"};
}

void TreeCursor::Seek(const RecordKey& key) {
  path_.clear();
  if (tree_->root().page.IsNull()) return;
  if (Descend(tree_->root().page, &key) || !path_.empty()) SkipToRecord();
}

// Descends to the leaf for `key`, or to the leftmost one; stops early if a page is damaged.
bool TreeCursor::Descend(PagePointer page, const RecordKey* key) {
  while (path_.size() < kMaxTreeHeight) {
    auto view = tree_->pages().Read(page);
    if (!view) {
      const bool goes_on = view.error().code == ErrorCode::kCorrupt;
      NoteDamage(std::move(view).error());
      if (!goes_on) path_.clear();
      // Skip the unreadable child.
      if (!path_.empty()) ++path_.back().index;
      return false;
    }
    if (view->IsLeaf()) {
      const LeafView leaf = tree_->pages().AsLeaf(*view);
      path_.push_back({*view, key == nullptr ? 0 : leaf.LowerBound(*key)});
      return true;
    }
    const BranchView branch(*view);
    const uint32_t index = key == nullptr ? 0 : branch.ChildIndex(*key);
    path_.push_back({*view, index});
    page = branch.Child(index);
  }
  NoteDamage(TooDeep());
  path_.clear();
  return false;
}

// Moves from the current path to the next record.
void TreeCursor::SkipToRecord() {
  while (!path_.empty()) {
    Step& step = path_.back();
    if (step.index < step.page.count()) {
      if (step.page.IsLeaf()) {
        record_ = tree_->pages().AsLeaf(step.page).Record(step.index);
        return;
      }
      Descend(BranchView(step.page).Child(step.index), nullptr);
      continue;
    }
    if (step.page.IsLeaf() && tree_->pages().AsLeaf(step.page).IsIncomplete()) {
      NoteDamage(Incomplete());
    }
    path_.pop_back();
    if (!path_.empty()) ++path_.back().index;
  }
}

void TreeCursor::Next() {
  const RecordKey last = record_.key;
  ++path_.back().index;
  SkipToRecord();
  if (Valid() && record_.key <= last) {
    NoteDamage({ErrorCode::kCorrupt, "a tree's records are out of order"});
    path_.clear();
  }
}

}  // namespace kvfs
