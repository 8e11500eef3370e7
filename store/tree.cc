// Descending, splitting, merging. Damaged pages show up as kCorrupt from Pages; loops that damaged
// pointers could make end at kMaxDepth, and a cursor notices keys that do not ascend.
#include "store/tree.h"

#include <algorithm>
#include <cassert>
#include <string>

namespace kvfs {

using format::PageEditor;
using format::PageKind;
using format::PagePointer;
using format::PageView;
using format::RecordBytes;
using format::RecordKey;

namespace {

tl::unexpected<Error> TooDeep() {
  return Fail(ErrorCode::kCorrupt, "a tree's branches lead in a circle");
}

struct Record {
  RecordKey key;
  Bytes value;
  uint32_t size() const { return RecordBytes(key.name.size(), value.size()); }
};

// The page's records, out of `copy`, with one more in its place.
std::vector<Record> RecordsWith(PageView copy, uint32_t index, const Record& added) {
  std::vector<Record> records;
  records.reserve(copy.count() + 1);
  for (uint32_t i = 0; i < copy.count(); ++i) records.push_back({copy.Key(i), copy.Value(i)});
  records.insert(records.begin() + index, added);
  return records;
}

// How many records stay in the left page of a split: about half of the bytes; but all that were
// there, if the new one is numbered (has no name) and comes last, as such records come in order.
size_t SplitPoint(const std::vector<Record>& records, uint32_t added_index) {
  if (added_index + 1 == records.size() && records.back().key.name.empty()) return added_index;
  uint32_t total = 0;
  for (const Record& record : records) total += record.size();
  uint32_t left = 0;
  for (size_t i = 0; i + 1 < records.size(); ++i) {
    left += records[i].size();
    if (left >= total / 2) return left - records[i].size() / 2 > total / 2 && i > 0 ? i : i + 1;
  }
  return records.size() - 1;
}

// A key above `left` and not above `right`, where no other key lies between the two; as short as
// possible: a name is needed only to tell records of equal position apart.
RecordKey Separator(const RecordKey& left, const RecordKey& right) {
  RecordKey bare{right.space, right.position, {}};
  return left < bare ? bare : right;
}

}  // namespace

Tree::Tree(Pages* pages, PagePointer root) : pages_(pages), root_(root), height_(MeasureHeight()) {}

size_t Tree::MeasureHeight() const {
  PagePointer at = root_;
  for (size_t height = 0; height < kMaxDepth; ++height) {
    if (at.IsNull()) return height;
    auto page = pages_->Read(at);
    if (!page) break;
    at = page->IsLeaf() ? PagePointer{} : page->Child(0);
  }
  return kMaxDepth;
}

Result<Bytes> Tree::Find(const RecordKey& key) const {
  if (root_.IsNull()) return Fail(ErrorCode::kNotFound);
  PagePointer at = root_;
  for (size_t depth = 0; depth < kMaxDepth; ++depth) {
    KVFS_ASSIGN(PageView page, pages_->Read(at));
    if (page.IsLeaf()) {
      uint32_t index = page.LowerBound(key);
      if (!page.Holds(index, key)) return Fail(ErrorCode::kNotFound);
      return page.Value(index);
    }
    at = page.Child(page.ChildIndex(key));
  }
  return TooDeep();
}

Result<std::vector<Tree::Step>> Tree::WritablePath(const RecordKey& key) {
  std::vector<Step> path;
  path.reserve(8);
  PagePointer at = root_;
  // All leaves are equally far down; a damaged tree must not take more pages than were reserved.
  while (path.size() < height_) {
    Step step;
    KVFS_ASSIGN(step.page, pages_->Writable(&at));
    step.self = at;
    if (path.empty()) {
      root_ = at;
    } else {
      path.back().page.SetChild(path.back().index, at);
    }
    const bool is_leaf = step.page.IsLeaf();
    step.index = is_leaf ? step.page.LowerBound(key) : step.page.ChildIndex(key);
    if (!is_leaf) at = step.page.Child(step.index);
    path.push_back(step);
    if (is_leaf) return path;
  }
  return TooDeep();
}

Result<void> Tree::Put(const RecordKey& key, Bytes value) {
  if (root_.IsNull()) {
    pages_->New(PageKind::kLeaf, &root_).Append(key, value);
    height_ = 1;
    return {};
  }
  KVFS_ASSIGN(std::vector<Step> path, WritablePath(key));
  Step& leaf = path.back();
  if (leaf.page.Holds(leaf.index, key)) {
    if (leaf.page.Replace(leaf.index, value)) return {};
    leaf.page.Remove(leaf.index);
  }
  if (!leaf.page.Insert(leaf.index, key, value)) {
    InsertSplitting(path, path.size() - 1, key, value);
  }
  return {};
}

// Splits the full page of that level in two, the new record in its place, and tells the parent of
// the right one.
void Tree::InsertSplitting(std::vector<Step>& path, size_t level, const RecordKey& key,
                           Bytes value) {
  if (level == 0) {
    GrowRoot(path);
    level = 1;
  }
  Step& step = path[level];
  const PageKind kind = step.page.IsLeaf() ? PageKind::kLeaf : PageKind::kBranch;
  std::vector<std::byte> copy(step.page.bytes(), step.page.bytes() + step.page.page_bytes());
  auto records =
      RecordsWith(PageView(copy.data(), step.page.page_bytes()), step.index, {key, value});
  const size_t split = SplitPoint(records, step.index);
  PagePointer right_pointer;
  PageEditor right = pages_->New(kind, &right_pointer);
  step.page.Clear();
  for (size_t i = 0; i < split; ++i) step.page.Append(records[i].key, records[i].value);
  const bool is_leaf = kind == PageKind::kLeaf;
  for (size_t i = split; i < records.size(); ++i) {
    // The first key of a branch counts as lower than all; its real one goes up as the separator.
    right.Append(is_leaf || i > split ? records[i].key : RecordKey{}, records[i].value);
  }
  const RecordKey separator =
      is_leaf ? Separator(records[split - 1].key, records[split].key) : records[split].key;
  std::byte pointer[PagePointer::kBytes];
  right_pointer.Encode(pointer);
  Step& parent = path[level - 1];
  ++parent.index;
  if (!parent.page.Insert(parent.index, separator, pointer)) {
    InsertSplitting(path, level - 1, separator, pointer);
  }
}

// Puts a branch with one child above the root.
void Tree::GrowRoot(std::vector<Step>& path) {
  std::byte pointer[PagePointer::kBytes];
  root_.Encode(pointer);
  Step top;
  top.page = pages_->New(PageKind::kBranch, &top.self);
  top.page.Append({}, pointer);
  root_ = top.self;
  ++height_;
  path.insert(path.begin(), top);
}

Result<void> Tree::Erase(const RecordKey& key) {
  if (auto found = Find(key); !found) {
    if (found.error().code == ErrorCode::kNotFound) return {};
    return tl::unexpected(std::move(found).error());
  }
  KVFS_ASSIGN(std::vector<Step> path, WritablePath(key));
  path.back().page.Remove(path.back().index);
  Shrink(path);
  return {};
}

// From the leaf upwards: drops empty pages, merges nearly empty ones.
void Tree::Shrink(std::vector<Step>& path) {
  for (size_t level = path.size() - 1; level > 0; --level) {
    const PageEditor& page = path[level].page;
    if (page.count() == 0) {
      RemoveFromParent(path, level);
    } else if (page.UsedBytes() * 4 >= format::PageCapacityBytes(page.page_bytes()) ||
               !MergeWithNeighbour(path, level)) {
      return;
    }
  }
  CollapseRoot();
}

void Tree::RemoveFromParent(std::vector<Step>& path, size_t level) {
  pages_->Free(path[level].self);
  Step& parent = path[level - 1];
  parent.page.Remove(parent.index);
  if (parent.index > 0 || parent.page.count() == 0) return;
  // What is first now counts as lower than all keys.
  std::byte pointer[PagePointer::kBytes];
  parent.page.Child(0).Encode(pointer);
  parent.page.Remove(0);
  const bool fits = parent.page.Insert(0, {}, pointer);
  assert(fits);
  static_cast<void>(fits);
}

bool Tree::MergeWithNeighbour(std::vector<Step>& path, size_t level) {
  Step& parent = path[level - 1];
  const uint32_t index = parent.index;
  if (index + 1 < parent.page.count() && MergeRightIntoLeft(parent, index)) return true;
  return index > 0 && MergeRightIntoLeft(parent, index - 1);
}

// Moves all records of one child into its left neighbour, if they fit with room to spare; a damaged
// neighbour is left alone.
bool Tree::MergeRightIntoLeft(Step& parent, uint32_t left_index) {
  PagePointer left = parent.page.Child(left_index), right = parent.page.Child(left_index + 1);
  auto left_view = pages_->Read(left), right_view = pages_->Read(right);
  if (!left_view || !right_view || left_view->IsLeaf() != right_view->IsLeaf()) return false;
  const uint32_t capacity = format::PageCapacityBytes(left_view->page_bytes());
  // The first key of a right branch has to become real: it may be longer by a name.
  const RecordKey right_first =
      left_view->IsLeaf() ? right_view->Key(0) : parent.page.Key(left_index + 1);
  const uint32_t growth = static_cast<uint32_t>(right_first.name.size());
  if (left_view->UsedBytes() + right_view->UsedBytes() + growth > capacity / 4 * 3) return false;
  auto editor = pages_->Writable(&left);
  if (!editor) return false;
  parent.page.SetChild(left_index, left);
  for (uint32_t i = 0; i < right_view->count(); ++i) {
    const RecordKey key = i == 0 ? right_first : right_view->Key(i);
    if (!editor->Insert(editor->count(), key, right_view->Value(i))) return false;
  }
  pages_->Free(right);
  parent.page.Remove(left_index + 1);
  return true;
}

// A root branch with one child is replaced by the child; an empty root by nothing.
void Tree::CollapseRoot() {
  while (!root_.IsNull()) {
    auto root = pages_->Read(root_);
    if (!root || root->count() > 1 || (root->IsLeaf() && root->count() == 1)) return;
    const PagePointer old = root_;
    root_ = root->IsLeaf() || root->count() == 0 ? PagePointer{} : root->Child(0);
    pages_->Free(old);
    --height_;
  }
}

Result<void> Cursor::Seek(const RecordKey& key) {
  path_.clear();
  if (root_.IsNull()) return {};
  KVFS_TRY(Descend(root_, &key));
  return SkipToRecord();
}

// To the leaf where `key` belongs, or to the leftmost one.
Result<void> Cursor::Descend(PagePointer page, const RecordKey* key) {
  while (path_.size() < Tree::kMaxDepth) {
    KVFS_ASSIGN(PageView view, pages_->Read(page));
    const bool is_leaf = view.IsLeaf();
    const uint32_t index = key == nullptr ? 0
                           : is_leaf      ? view.LowerBound(*key)
                                          : view.ChildIndex(*key);
    path_.push_back({view, index});
    if (is_leaf) return {};
    page = view.Child(index);
  }
  return TooDeep();
}

// If the path's leaf is at its end: on to the next leaf.
Result<void> Cursor::SkipToRecord() {
  while (!path_.empty() && path_.back().index >= path_.back().page.count()) {
    path_.pop_back();
    if (path_.empty()) return {};
    Step& branch = path_.back();
    ++branch.index;
    if (branch.index < branch.page.count()) {
      KVFS_TRY(Descend(branch.page.Child(branch.index), nullptr));
    }
  }
  return {};
}

Result<void> Cursor::Next() {
  Step& leaf = path_.back();
  if (++leaf.index < leaf.page.count()) return {};
  const RecordKey last = leaf.page.Key(leaf.index - 1);
  KVFS_TRY(SkipToRecord());
  if (Valid() && Key() <= last) {
    path_.clear();
    return Fail(ErrorCode::kCorrupt, "a tree's leaves are out of order");
  }
  return {};
}

}  // namespace kvfs
