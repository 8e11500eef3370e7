// An in-memory B+tree from (directory, position) to a list of records. Keys are only added.
//
// Nodes are wide and store the keys side by side: a search touches few cache lines, and comparisons
// do not access the records.
//
// Threads: as for Memtable.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "store/shard/memtable.h"

namespace kvfs {

struct IndexKey {
  uint64_t directory;
  uint64_t position;
  auto operator<=>(const IndexKey&) const = default;
};

struct IndexLeaf {
  static constexpr uint32_t kKeys = 32;

  uint32_t count = 0;
  std::array<IndexKey, kKeys> keys;
  std::array<Memtable::Record*, kKeys> records;
  IndexLeaf* next = nullptr;

  // Index of the first key not below `key`.
  uint32_t LowerBound(const IndexKey& key) const;
};

class MemtableIndex {
 public:
  MemtableIndex();
  ~MemtableIndex();
  MemtableIndex(const MemtableIndex&) = delete;
  MemtableIndex& operator=(const MemtableIndex&) = delete;

  // The leaf that holds the key, if it is present.
  const IndexLeaf* LeafOf(const IndexKey& key) const;
  // The same for several keys; the searches are interleaved.
  void LeavesOf(std::span<const IndexKey> keys, std::span<const IndexLeaf*> leaves) const;
  // The head of the key's list; an absent key is added with an empty list. Valid until the next
  // call.
  Memtable::Record** FindOrAdd(const IndexKey& key);

  size_t bytes() const { return bytes_; }

  // Offset of the end of a node's keys.
  static constexpr size_t kKeysEnd = sizeof(uint64_t) + IndexLeaf::kKeys * sizeof(IndexKey);

 private:
  // A node above the leaves: child i has the keys from keys[i] on; keys[0] is ignored.
  struct Branch;
  static void PrefetchNode(const void* node);
  static uint32_t ChildOf(const Branch& branch, const IndexKey& key);
  Memtable::Record** AddToLeaf(IndexLeaf* leaf, uint32_t slot, const IndexKey& key,
                               std::vector<Branch*>& path);
  void AddToParent(std::vector<Branch*>& path, void* left, const IndexKey& key, void* right);
  IndexLeaf* NewLeaf();
  Branch* NewBranch();

  void* root_ = nullptr;  // Branch or IndexLeaf
  uint32_t height_ = 1;   // levels, the leaves' included
  std::vector<std::unique_ptr<IndexLeaf>> leaves_;
  std::vector<std::unique_ptr<Branch>> branches_;
  size_t bytes_ = 0;
};

}  // namespace kvfs
