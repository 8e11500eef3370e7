// Changes the content of one entry: the tail and direct blocks in the entry, the chunks and blocks
// in the transaction.
//
// A content passes through three shapes as it grows: tail only; direct blocks, named by the entry;
// blocks named by chunks. The shape depends on the size alone (format::ContentShape), so a change
// of size may move bytes between tail and blocks, and pointers between entry and chunks.
//
// INVARIANT: bytes of the last block beyond the content's end are zero, and there is no block
// beyond it.
//
// Threads: as for Transaction; the lock of the content's owner shard is held.
#pragma once

#include <optional>

#include "store/format/change.h"
#include "store/format/chunk.h"
#include "store/txn/mutable_entry.h"
#include "store/txn/transaction.h"

namespace kvfs {

class ContentEditor {
 public:
  // One change frees at most kMostFreedChunks chunks: up to 128 MiB of blocks. If a range has more,
  // and at most kMostMovedChunks chunks are kept, these move to a new content, and the old content
  // is orphaned with the rest.
  static constexpr uint64_t kMostFreedChunks = 1024;
  static constexpr uint64_t kMostMovedChunks = 256;

  // `owner` is the content's shard. All must outlive the editor.
  ContentEditor(Transaction* transaction, uint32_t owner, uint32_t inline_limit,
                MutableEntry* entry)
      : transaction_(*transaction), owner_(owner), limit_(inline_limit), entry_(*entry) {}

  // All may fail with kRetry (see Transaction) and kCorrupt; the transaction must then be
  // discarded.
  Result<void> Resize(uint64_t size);
  Result<void> Write(uint64_t offset, Bytes data);
  // Places the blocks that a kWriteBlocks change names.
  Result<void> PlaceBlocks(const format::Change& change);
  // Makes the range read as zeros, and frees its whole blocks.
  Result<void> Punch(uint64_t offset, uint64_t length);
  // Allocates blocks, which read as zeros, for the holes in the range.
  Result<void> Allocate(uint64_t offset, uint64_t length);
  // Empties the content; its blocks are freed or orphaned.
  Result<void> LetGo();

  // Stores the cached chunk. Call it after the changes.
  void Finish() { StoreChunk(); }

 private:
  format::ContentShape shape() const { return format::ContentShape::Of(entry_.size, limit_); }
  Result<void> Grow(uint64_t size);
  Result<void> Shrink(uint64_t size);
  Result<void> ToShape(const format::ContentShape& next);
  Result<void> FreeBlocks(uint64_t from, uint64_t end);
  Result<void> LeaveBehind(uint64_t from, uint64_t end);
  Result<void> WriteToBlocks(uint64_t offset, Bytes data);
  Result<void> FreePart(uint64_t index, uint32_t begin, uint32_t end);
  void Bury(uint64_t content);

  Result<format::BlockPointer> Get(uint64_t index);
  Result<void> Set(uint64_t index, format::BlockPointer block);
  Result<void> LoadChunk(uint64_t index);
  void StoreChunk();

  Transaction& transaction_;
  const uint32_t owner_;
  const uint32_t limit_;
  MutableEntry& entry_;
  // A cache of the last chunk used.
  std::optional<uint64_t> chunk_index_;
  uint64_t chunk_content_ = 0;
  format::Chunk chunk_;
  bool is_chunk_changed_ = false;
};

}  // namespace kvfs
