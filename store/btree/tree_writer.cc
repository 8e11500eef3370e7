// Writes level by level; then adds or removes levels at the top, as the new tree needs.
#include "store/btree/tree_writer.h"

#include <algorithm>

#include "store/base/contract.h"
#include "store/base/retry.h"

namespace kvfs {
namespace {

// Number of leaves for `bytes` bytes of records: they are three quarters full, except the last one.
uint64_t LeavesFor(uint64_t bytes, uint32_t page_bytes) {
  return bytes > 0 ? bytes * 4 / 3 / format::PageCapacityBytes(page_bytes) + 1 : 0;
}

// The least number of children of a branch after a split. Keys have names only where positions are
// equal.
uint64_t LeastChildren(uint32_t page_bytes) {
  return format::PageCapacityBytes(page_bytes) / format::kBranchItemBytes / 2;
}

// Number of pages of one level that `visits` visits write, not counting growth. A visit takes in up
// to two unchanged pages, and leaves pages three quarters full (LevelWriter).
uint64_t PagesVisited(uint64_t visits, uint64_t pages) {
  constexpr uint64_t kMostOfVisit = 4;
  return std::min(visits * kMostOfVisit, pages > 1 ? (pages * 4 + 2) / 3 : pages);
}

// From the leaves up: each level grows by a fraction of the one below, until one page suffices.
TreeRoot Grown(const TreeRoot& last, uint64_t record_bytes, uint32_t page_bytes) {
  const uint64_t fanout = LeastChildren(page_bytes);
  TreeRoot grown = last;
  uint64_t added = LeavesFor(record_bytes, page_bytes);
  for (uint32_t level = 1; added > 0; ++level) {
    uint64_t& pages = level == 1 ? grown.leaves : grown.branches;
    pages += added;
    grown.height = std::max(grown.height, level);
    const bool is_below_root = level < last.height;
    if (is_below_root && pages <= fanout) break;  // the root has room for all of them
    const uint64_t tops = added + (level == last.height ? 1 : 0);
    if (!is_below_root && tops == 1) break;
    added = ((is_below_root ? added : tops) + fanout - 1) / fanout;
  }
  return grown;
}

}  // namespace

using format::PagePointer;
using format::RecordKey;

Result<WrittenTree> TreeWriter::Write(const TreeRoot& root, std::span<const TreeChange> changes) {
  KVFS_REQUIRE(!std::exchange(has_written_, true), "a tree writer must be used only once");
  const uint64_t faults = pages_->file().ViewFaults();
  const Tree last(pages_, root);
  KVFS_ASSIGN(Changes up, WriteLeaves(last, changes));
  for (uint32_t level = 2; level <= root.height; ++level) {
    Changes& grafted = grafted_[level];
    up.insert(up.end(), grafted.begin(), grafted.end());
    std::ranges::sort(up, {}, &BranchChange::key);
    LevelWriter<BranchLevel> writer(&maker_, last, level, options_.rewrites_all);
    KVFS_ASSIGN(up, writer.Write(up));
    has_left_root_ |= writer.has_left_root();
    has_met_damage_ |= writer.has_met_damage();
  }
  const Changes& grafted = grafted_[root.height + 1];
  up.insert(up.end(), grafted.begin(), grafted.end());
  WrittenTree written;
  written.root = root;
  if (!up.empty() || has_left_root_) {
    KVFS_ASSIGN(written.root, BuildUp(last, std::move(up), root.height));
  }
  KVFS_TRY(maker_.Flush());
  KVFS_TRY(Collapse(&written.root));
  // Zeros may have been merged.
  if (pages_->file().ViewFaults() != faults) return Fail(kRetry);
  written.root.leaves = root.leaves + static_cast<uint64_t>(maker_.leaves());
  written.root.branches = root.branches + static_cast<uint64_t>(maker_.branches());
  maker_.TakeAccount(&written.allocated, &written.freed);
  written.has_met_damage = has_met_damage_;
  return written;
}

Result<TreeWriter::Changes> TreeWriter::WriteLeaves(const Tree& last,
                                                    std::span<const TreeChange> changes) {
  LevelWriter<LeafLevel> writer(&maker_, last, 1, options_.rewrites_all);
  if (last.root().height == 0) return writer.WriteNew(changes, 0, {});
  KVFS_ASSIGN(Changes up, writer.Write(changes));
  has_left_root_ |= writer.has_left_root();
  has_met_damage_ |= writer.has_met_damage();
  for (const auto& part : writer.damaged()) KVFS_TRY(Graft(last, part));
  return up;
}

// Replaces a damaged branch by incomplete leaves with the changes, and branches above them.
Result<void> TreeWriter::Graft(const Tree& last, const DamagedPart<TreeChange>& part) {
  LevelWriter<LeafLevel> leaves(&maker_, last, 1, false);
  KVFS_ASSIGN(Changes nodes,
              leaves.WriteNew(part.changes, format::kIncompleteLeaf, part.lower_key));
  for (uint32_t level = 2; level <= part.level; ++level) {
    LevelWriter<BranchLevel> branches(&maker_, last, level, false);
    KVFS_ASSIGN(nodes, branches.WriteNew(nodes, 0, part.lower_key));
  }
  Changes& above = grafted_[part.level + 1];
  if (!part.stored_key) {
    has_left_root_ = true;
  } else {
    nodes.front().key = *part.stored_key;  // takes the damaged one's place
  }
  above.insert(above.end(), nodes.begin(), nodes.end());
  return {};
}

// `top` are the pages of the highest level.
Result<TreeRoot> TreeWriter::BuildUp(const Tree& last, Changes top, uint32_t height) {
  TreeRoot root;
  if (top.empty()) return root;
  root.height = std::max(height, 1u);
  while (top.size() > 1) {
    LevelWriter<BranchLevel> branches(&maker_, last, root.height + 1, false);
    KVFS_ASSIGN(top, branches.WriteNew(top, 0, {}));
    ++root.height;
  }
  root.page = *top.front().child;
  return root;
}

// Removes branches with a single child from the top.
Result<void> TreeWriter::Collapse(TreeRoot* root) {
  while (root->height > 1) {
    auto page = pages_->Read(root->page);
    if (!page || page->IsLeaf() || page->count() > 1) return {};
    maker_.Free(root->page);
    maker_.CountPage(/*is_leaf=*/false, -1);
    root->page = format::BranchView(*page).Child(0);
    --root->height;
  }
  return {};
}

TreeWriter::Bound TreeWriter::BoundOf(const TreeRoot& last, uint64_t changes, uint64_t record_bytes,
                                      uint32_t page_bytes) {
  Bound bound{0, Grown(last, record_bytes, page_bytes)};
  const uint64_t levels_above = std::max(last.height, 1u) - 1;
  bound.pages = PagesVisited(changes, last.leaves) +
                PagesVisited(changes * levels_above, last.branches) +
                (bound.root.leaves - last.leaves) + (bound.root.branches - last.branches);
  return bound;
}

}  // namespace kvfs
