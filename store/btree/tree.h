// A shard's B+tree as one checkpoint wrote it: records in order of their keys, found by one search
// in each page on the way. It never changes; tree_writer.h makes the next one.
//
// Threads: safe from many, as long as a pin keeps its pages from being reused.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "store/btree/pages.h"
#include "store/format/superblock.h"

namespace kvfs {

// Identifies a tree: its root, and its size.
struct TreeRoot {
  format::PagePointer page;
  uint32_t height = 0;  // levels, the leaves' included
  uint64_t leaves = 0;
  uint64_t branches = 0;
};

class Tree {
 public:
  // `pages` must outlive the tree.
  Tree(const Pages* pages, const TreeRoot& root) : pages_(pages), root_(root) {}

  const TreeRoot& root() const { return root_; }
  const Pages& pages() const { return *pages_; }

  // kNotFound, without a message; kCorrupt where damage has hidden it.
  Result<format::LeafRecord> Find(const format::RecordKey& key) const;
  // Prefetches the leaf that Find will search.
  void Prefetch(const format::RecordKey& key) const;

 private:
  const Pages* pages_;
  TreeRoot root_;
};

// Walks a tree's records in ascending order. Damaged pages are skipped, and remembered: records
// after them are still visited. If a page cannot be read for another reason, the walk ends.
class TreeCursor {
 public:
  explicit TreeCursor(const Tree& tree) : tree_(&tree), faults_(tree.pages().file().ViewFaults()) {}

  // Moves to the first record not below `key`.
  void Seek(const format::RecordKey& key);
  bool Valid() const { return !path_.empty(); }
  const format::LeafRecord& Record() const { return record_; }
  void Next();

  // Why records may be missing so far: the first damage found (kCorrupt), or why the walk has
  // ended. Also kUnavailable if the disk failed to deliver a page during the walk; another walk may
  // find it.
  std::optional<Error> damage() const;

 private:
  struct Step {
    format::PageView page;
    uint32_t index;
  };
  bool Descend(format::PagePointer page, const format::RecordKey* key);
  void SkipToRecord();
  void NoteDamage(Error error);

  const Tree* tree_;
  uint64_t faults_;
  std::vector<Step> path_;
  format::LeafRecord record_;
  std::optional<Error> damage_;
};

}  // namespace kvfs
