// Searching, adding, splitting.
#include "store/shard/memtable_index.h"

#include <algorithm>

namespace kvfs {

struct MemtableIndex::Branch {
  static constexpr uint32_t kChildren = 32;

  uint32_t count = 0;
  std::array<IndexKey, kChildren> keys;
  std::array<void*, kChildren> children;

  void Insert(uint32_t slot, const IndexKey& key, void* child) {
    std::copy_backward(keys.begin() + slot, keys.begin() + count, keys.begin() + count + 1);
    std::copy_backward(children.begin() + slot, children.begin() + count,
                       children.begin() + count + 1);
    keys[slot] = key;
    children[slot] = child;
    ++count;
  }
};

static_assert(offsetof(IndexLeaf, records) <= MemtableIndex::kKeysEnd);

uint32_t IndexLeaf::LowerBound(const IndexKey& key) const {
  uint32_t base = 0;
  for (uint32_t length = count; length > 0;) {
    const uint32_t half = (length + 1) / 2;
    base = keys[base + half - 1] < key ? base + half : base;
    length -= half;
  }
  return base;
}

// A search visits several cache lines of the keys: prefetch them together.
void MemtableIndex::PrefetchNode(const void* node) {
  constexpr size_t kLineBytes = 64;
  const auto* bytes = static_cast<const std::byte*>(node);
  for (size_t at = 0; at < kKeysEnd; at += kLineBytes) __builtin_prefetch(bytes + at);
}

MemtableIndex::MemtableIndex() { root_ = NewLeaf(); }
MemtableIndex::~MemtableIndex() = default;

IndexLeaf* MemtableIndex::NewLeaf() {
  bytes_ += sizeof(IndexLeaf);
  return leaves_.emplace_back(std::make_unique<IndexLeaf>()).get();
}

MemtableIndex::Branch* MemtableIndex::NewBranch() {
  bytes_ += sizeof(Branch);
  return branches_.emplace_back(std::make_unique<Branch>()).get();
}

uint32_t MemtableIndex::ChildOf(const Branch& branch, const IndexKey& key) {
  uint32_t base = 0;
  for (uint32_t length = branch.count; length > 1; length -= length / 2) {
    base = branch.keys[base + length / 2] <= key ? base + length / 2 : base;
  }
  return base;
}

const IndexLeaf* MemtableIndex::LeafOf(const IndexKey& key) const {
  const void* at = root_;
  for (uint32_t level = height_; level > 1; --level) {
    const auto* branch = static_cast<const Branch*>(at);
    at = branch->children[ChildOf(*branch, key)];
    PrefetchNode(at);
  }
  return static_cast<const IndexLeaf*>(at);
}

void MemtableIndex::LeavesOf(std::span<const IndexKey> keys,
                             std::span<const IndexLeaf*> leaves) const {
  std::array<const void*, Memtable::kMostKeys> at;
  std::ranges::fill(at, root_);
  for (uint32_t level = height_; level > 1; --level) {
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto* branch = static_cast<const Branch*>(at[i]);
      at[i] = branch->children[ChildOf(*branch, keys[i])];
      PrefetchNode(at[i]);
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) leaves[i] = static_cast<const IndexLeaf*>(at[i]);
}

Memtable::Record** MemtableIndex::FindOrAdd(const IndexKey& key) {
  std::vector<Branch*> path;
  path.reserve(8);
  void* at = root_;
  for (uint32_t level = height_; level > 1; --level) {
    auto* branch = static_cast<Branch*>(at);
    path.push_back(branch);
    at = branch->children[ChildOf(*branch, key)];
    PrefetchNode(at);
  }
  auto* leaf = static_cast<IndexLeaf*>(at);
  const uint32_t slot = leaf->LowerBound(key);
  if (slot < leaf->count && leaf->keys[slot] == key) return &leaf->records[slot];
  return AddToLeaf(leaf, slot, key, path);
}

Memtable::Record** MemtableIndex::AddToLeaf(IndexLeaf* leaf, uint32_t slot, const IndexKey& key,
                                            std::vector<Branch*>& path) {
  if (leaf->count == IndexLeaf::kKeys) {
    // Keys added in ascending order fill their leaves.
    const uint32_t kept = slot == leaf->count ? slot : IndexLeaf::kKeys / 2;
    IndexLeaf* right = NewLeaf();
    std::copy(leaf->keys.begin() + kept, leaf->keys.end(), right->keys.begin());
    std::copy(leaf->records.begin() + kept, leaf->records.end(), right->records.begin());
    right->count = leaf->count - kept;
    right->next = leaf->next;
    leaf->count = kept;
    leaf->next = right;
    AddToParent(path, leaf, right->count > 0 ? right->keys[0] : key, right);
    if (slot > kept || right->count == 0) {
      leaf = right;
      slot -= kept;
    }
  }
  std::copy_backward(leaf->keys.begin() + slot, leaf->keys.begin() + leaf->count,
                     leaf->keys.begin() + leaf->count + 1);
  std::copy_backward(leaf->records.begin() + slot, leaf->records.begin() + leaf->count,
                     leaf->records.begin() + leaf->count + 1);
  leaf->keys[slot] = key;
  leaf->records[slot] = nullptr;
  ++leaf->count;
  return &leaf->records[slot];
}

// Adds `right`, whose keys begin at `key`, after `left`.
void MemtableIndex::AddToParent(std::vector<Branch*>& path, void* left, const IndexKey& key,
                                void* right) {
  if (path.empty()) {
    Branch* root = NewBranch();
    root->Insert(0, IndexKey{}, left);
    root->Insert(1, key, right);
    root_ = root;
    ++height_;
    return;
  }
  Branch* branch = path.back();
  path.pop_back();
  uint32_t slot = ChildOf(*branch, key) + 1;
  if (branch->count == Branch::kChildren) {
    const uint32_t kept = slot == branch->count ? slot - 1 : Branch::kChildren / 2;
    Branch* sibling = NewBranch();
    std::copy(branch->keys.begin() + kept, branch->keys.end(), sibling->keys.begin());
    std::copy(branch->children.begin() + kept, branch->children.end(), sibling->children.begin());
    sibling->count = branch->count - kept;
    branch->count = kept;
    AddToParent(path, branch, sibling->keys[0], sibling);
    if (slot > kept) {
      branch = sibling;
      slot -= kept;
    }
  }
  branch->Insert(slot, key, right);
}

}  // namespace kvfs
