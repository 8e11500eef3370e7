// A B+tree in memory from (directory, position) to a list of records, to which keys are only added.
//
// Wide nodes with the keys side by side: a search touches few cache lines, and comparing needs no
// look at the records.
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

  // The first key that is not below.
  uint32_t LowerBound(const IndexKey& key) const;
};

class MemtableIndex {
 public:
  MemtableIndex();
  ~MemtableIndex();
  MemtableIndex(const MemtableIndex&) = delete;
  MemtableIndex& operator=(const MemtableIndex&) = delete;

  // The leaf in which the key lies, if anywhere.
  const IndexLeaf* LeafOf(const IndexKey& key) const;
  // The same for each of some keys, in step.
  void LeavesOf(std::span<const IndexKey> keys, std::span<const IndexLeaf*> leaves) const;
  // The list below the key, which is added with an empty one if it is absent. Valid until the next
  // call.
  Memtable::Record** FindOrAdd(const IndexKey& key);

  size_t bytes() const { return bytes_; }

  // Where a node's keys end.
  static constexpr size_t kKeysEnd = sizeof(uint64_t) + IndexLeaf::kKeys * sizeof(IndexKey);

 private:
  // A node above the leaves: child i has the keys from keys[i] on; keys[0] does not count.
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
