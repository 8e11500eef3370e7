// Walks depth first. A damaged page ends only its own branch of the walk.
#include "store/btree/tree_checker.h"

#include "store/base/describe.h"

namespace kvfs {

using format::BranchView;
using format::LeafView;
using format::PagePointer;
using format::PageView;
using format::RecordKey;

namespace {

std::string DescribeKey(const RecordKey& key) {
  std::string text =
      "(directory " + std::to_string(key.directory) + ", position " + std::to_string(key.position);
  if (!key.name.empty()) text += ", \"" + Readable(key.name) + "\"";
  return text + ")";
}

}  // namespace

void TreeChecker::Run() {
  const TreeRoot& root = tree_.root();
  if (root.page.IsNull()) return;
  CheckPage(root.page, 0, {});
  const bool is_whole = !has_gaps_ && !session_.ended();
  if (is_whole && (leaves_ != root.leaves || branches_ != root.branches)) {
    session_.Space(shard_name_ + ": the tree has " + std::to_string(leaves_) + " leaves and " +
                   std::to_string(branches_) + " branches, and the checkpoint says " +
                   std::to_string(root.leaves) + " and " + std::to_string(root.branches));
  }
}

void TreeChecker::Damage(PagePointer page, const std::string& what) {
  session_.Damage(shard_name_ + ": page " + std::to_string(page.number) + " " + what);
}

std::string TreeChecker::Describe(const Bounds& bounds) {
  return "from " + (bounds.low == nullptr ? "the first" : DescribeKey(*bounds.low)) + " up to " +
         (bounds.high == nullptr ? "the last" : DescribeKey(*bounds.high));
}

// False if the page has been reached before: through a cycle, or from two parents.
bool TreeChecker::Reach(PagePointer page) {
  if (page.number >= format::kMaxNumber) return true;  // reading it will tell
  const auto file_bytes = tree_.pages().file().SizeBytes();
  if (!file_bytes) {
    session_.Abandon(file_bytes.error());
    return false;
  }
  const uint64_t pages_of_file = *file_bytes / tree_.pages().page_bytes();
  if (reached_.size() <= page.number) {
    if (page.number >= pages_of_file) return true;
    reached_.resize(pages_of_file);
  }
  if (!reached_[page.number]) {
    reached_[page.number] = true;
    return true;
  }
  Damage(page, "is reached twice");
  return false;
}

void TreeChecker::CheckPage(PagePointer pointer, uint32_t depth, const Bounds& bounds) {
  if (session_.ended()) return;
  if (!Reach(pointer)) {
    has_gaps_ = true;
    return;
  }
  session_.CountPage(tree_.pages().page_bytes());
  if (copies_.size() <= depth) copies_.emplace_back(tree_.pages().page_bytes());
  const auto page = tree_.pages().CheckCopy(pointer, copies_[depth]);
  if (!page) {
    has_gaps_ = true;
    if (page.error().code != ErrorCode::kCorrupt) return session_.Abandon(page.error());
    damaged_.insert(pointer.number);
    session_.Damage(page.error().message + "; records are lost to it " + Describe(bounds));
    return;
  }
  const bool is_at_the_bottom = depth + 1 == tree_.root().height;
  if (page->IsLeaf() != is_at_the_bottom) {
    has_gaps_ = true;
    return Damage(pointer, "is a leaf or a branch where the other should be");
  }
  if (auto order = format::CheckOrder(*page, tree_.pages().hash()); !order) {
    Damage(pointer, "is not sound: " + order.error().message);
  }
  if (page->IsLeaf()) {
    CheckLeaf(*page, bounds);
  } else {
    CheckBranch(*page, depth, bounds);
  }
}

void TreeChecker::CheckLeaf(PageView page, const Bounds& bounds) {
  ++leaves_;
  const LeafView leaf = tree_.pages().AsLeaf(page);
  if (leaf.IsIncomplete()) {
    Damage(page.self(),
           "has replaced a damaged page: records may have been lost " + Describe(bounds));
  }
  for (uint32_t i = 0; i < page.count() && !session_.ended(); ++i) {
    const format::LeafRecord record = leaf.Record(i);
    const bool is_below = bounds.low != nullptr && record.key < *bounds.low;
    const bool is_above = bounds.high != nullptr && record.key >= *bounds.high;
    if (is_below || is_above) {
      Damage(page.self(), "has the key " + DescribeKey(record.key) +
                              ", which nobody finds there: it leads to keys " + Describe(bounds));
    }
    visit_(record);
  }
}

void TreeChecker::CheckBranch(PageView page, uint32_t depth, const Bounds& bounds) {
  ++branches_;
  const BranchView branch(page);
  for (uint32_t i = 0; i < page.count(); ++i) {
    const RecordKey own = branch.Key(i);
    RecordKey next;
    // Keys below the first key belong to the first child, too.
    Bounds below{i == 0 ? bounds.low : &own, bounds.high};
    if (i + 1 < page.count()) {
      next = branch.Key(i + 1);
      below.high = &next;
    }
    CheckPage(branch.Child(i), depth + 1, below);
  }
}

}  // namespace kvfs
