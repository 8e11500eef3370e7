// A shard's B+tree over copy-on-write pages: records in order of their keys, found by binary
// search in one page a level.
//
// A change copies the pages from the root to its leaf (Pages::Writable), splits what is full and
// merges what has become nearly empty. Values are opaque here.
//
// Space: a change of one record takes at most PagesPerChange() pages; who changes the tree has
// reserved them before (SpaceMap::Reserve), so that it can not fail half-way for want of space. It
// fails half-way only on a damaged page, and leaves the tree as sound as it was.
//
// Threads: reading needs the shard's lock shared, changing needs it exclusive.
#pragma once

#include <cstdint>
#include <vector>

#include "store/format/page.h"
#include "store/pages.h"

namespace kvfs {

class Tree {
 public:
  // A tree deeper than this is damaged: 16 levels of the smallest pages hold more than any disk.
  static constexpr size_t kMaxDepth = 16;

  // `pages` must outlive the tree.
  Tree(Pages* pages, format::PagePointer root);

  format::PagePointer root() const { return root_; }

  // The value under `key`; kNotFound, without a message. Valid until the tree changes.
  Result<Bytes> Find(const format::RecordKey& key) const;
  // Creates or replaces. The record must be within MaxRecordBytes.
  Result<void> Put(const format::RecordKey& key, Bytes value);
  // Does nothing if there is no such record.
  Result<void> Erase(const format::RecordKey& key);

  // A copy and a split of every level, a new root, and a merge.
  uint64_t PagesPerChange() const { return 2 * height_ + 3; }

 private:
  struct Step {
    format::PageEditor page;
    format::PagePointer self;
    uint32_t index = 0;  // of the child that the path follows; in the leaf, of the record
  };
  // From the root to the leaf where `key` belongs, every page writable.
  Result<std::vector<Step>> WritablePath(const format::RecordKey& key);
  void InsertSplitting(std::vector<Step>& path, size_t level, const format::RecordKey& key,
                       Bytes value);
  void GrowRoot(std::vector<Step>& path);
  void Shrink(std::vector<Step>& path);
  void RemoveFromParent(std::vector<Step>& path, size_t level);
  bool MergeWithNeighbour(std::vector<Step>& path, size_t level);
  bool MergeRightIntoLeft(Step& parent, uint32_t left_index);
  void CollapseRoot();

  size_t MeasureHeight() const;

  Pages* pages_;
  format::PagePointer root_;
  size_t height_;  // levels, the leaf's included
};

// Walks a tree's records in ascending order. Valid until the tree changes.
class Cursor {
 public:
  Cursor(const Pages* pages, format::PagePointer root) : pages_(pages), root_(root) {}

  // To the first record not below `key`.
  Result<void> Seek(const format::RecordKey& key);
  bool Valid() const { return !path_.empty(); }
  format::RecordKey Key() const { return path_.back().page.Key(path_.back().index); }
  Bytes Value() const { return path_.back().page.Value(path_.back().index); }
  Result<void> Next();

 private:
  struct Step {
    format::PageView page;
    uint32_t index;
  };
  Result<void> Descend(format::PagePointer page, const format::RecordKey* key);
  Result<void> SkipToRecord();

  const Pages* pages_;
  format::PagePointer root_;
  std::vector<Step> path_;
};

}  // namespace kvfs
