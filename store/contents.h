// The contents of one shard that are too large for a leaf: chunk records in its tree, which name
// blocks of its values file. Knows ids and byte ranges, nothing of names.
//
// Space: see PagesFor and BlocksFor for what to reserve before a change.
//
// Threads: as for Tree.
#pragma once

#include <cstdint>

#include "store/blocks.h"
#include "store/format/change.h"
#include "store/format/entry.h"
#include "store/tree.h"

namespace kvfs {

class Contents {
 public:
  // `pages` are the tree's. All must outlive this.
  Contents(const Pages* pages, Tree* tree, Blocks* blocks)
      : pages_(pages), tree_(tree), blocks_(blocks) {}

  // Fills `out` from `offset`; what has no block reads as zeros.
  Result<void> Read(uint64_t id, uint64_t offset, MutableBytes out) const;
  // kCorrupt if a chunk of the range is damaged, or a block that the range covers only in part: to
  // be asked before a change of the range, which must not fail.
  Result<void> CheckRange(uint64_t id, uint64_t offset, uint64_t length) const;

  // Each change adds to `blocks` what the content gains, or takes off what it loses.

  // At most kMaxDataBytes.
  Result<void> Write(uint64_t id, uint64_t offset, Bytes data, uint64_t* blocks);
  // Puts the blocks that a kWriteBlocks change names into their places.
  Result<void> PlaceBlocks(uint64_t id, const format::Change& change, uint64_t* blocks);
  // Makes the range read as zeros; whole blocks in it are freed. It may reach beyond the content's
  // end, and must reach to the end of the last block for that to be freed. Takes a block for each
  // end that lies inside one.
  Result<void> Punch(uint64_t id, uint64_t offset, uint64_t length, uint64_t* blocks);

  static constexpr uint64_t kMaxDataBytes = 2 * format::kMaxPageBytes;
  // Blocks that a Write of so many bytes may take.
  static uint64_t BlocksFor(uint64_t length) { return length / format::kBlockBytes + 2; }
  // Pages that a change of so many bytes may take. A Punch frees as it goes.
  uint64_t PagesFor(uint64_t length) const {
    return 2 * tree_->PagesPerChange() + 2 * (length / format::kChunkBytes);
  }

 private:
  static format::RecordKey ChunkKey(uint64_t id, uint64_t index) {
    return {format::ContentSpace(id), index, {}};
  }
  Result<format::Chunk> ReadChunk(uint64_t id, uint64_t index) const;
  Result<void> StoreChunk(uint64_t id, uint64_t index, const format::Chunk& chunk);
  void PunchBlocks(format::Chunk* chunk, uint64_t begin, uint64_t end, uint64_t* blocks);

  const Pages* pages_;
  Tree* tree_;
  Blocks* blocks_;
};

}  // namespace kvfs
