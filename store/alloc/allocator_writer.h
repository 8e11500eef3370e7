// Writes a shard's two allocation maps to new blocks, as the last part of a checkpoint's new tree.
//
// The blocks for the maps are allocated from the block map itself, which changes it again; but each
// block of a map is written at most once a checkpoint, so this terminates.
//
// Threads: one checkpoint at a time.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "store/alloc/block_allocator.h"
#include "store/alloc/block_file.h"

namespace kvfs {

class AllocatorWriter {
 public:
  // All must outlive the writer. The epoch of both maps must have been closed.
  AllocatorWriter(BlockAllocator* pages, BlockAllocator* blocks, BlockFile* file)
      : maps_{pages, blocks}, file_(file) {}
  // Releases the blocks that were reserved but not written.
  ~AllocatorWriter();
  AllocatorWriter(const AllocatorWriter&) = delete;
  AllocatorWriter& operator=(const AllocatorWriter&) = delete;

  // Reserves a block for every block of the maps that the closed epoch changes. kNoSpace changes
  // nothing.
  Result<void> Prepare();
  // After Prepare: settles the maps, and writes them to the reserved blocks.
  Result<void> Write();

 private:
  enum Map : size_t { kPages = 0, kBlocks = 1 };
  // Level, map, index: lower levels come first.
  using Node = std::tuple<uint32_t, Map, uint64_t>;

  void Add(Map map, uint64_t bitmap);
  Result<void> FindPlace(Node node);
  Result<void> WriteNode(Node node, uint64_t place);

  BlockAllocator* const maps_[2];
  BlockFile* const file_;
  uint32_t levels_[2] = {0, 0};
  uint64_t highest_[2] = {0, 0};
  std::map<Node, uint64_t> places_;  // 0: none yet
  std::vector<Node> without_place_;
  std::vector<Run> pinned_;
  std::vector<uint64_t> freed_;
  bool is_prepared_ = false;
};

}  // namespace kvfs
