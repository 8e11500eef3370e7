// Splits ranges into blocks, and handles the content's end.
#include "store/txn/content_editor.h"

#include <algorithm>

namespace kvfs {

using format::BlockPointer;
using format::Change;
using format::Chunk;
using format::ContentShape;
using format::kBlockBytes;
using format::kBlocksPerChunk;
using format::RecordKey;

namespace {

constexpr std::byte kZeros[kBlockBytes] = {};

bool IsZero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

RecordKey ChunkKey(uint64_t content, uint64_t index) {
  return {format::ContentDirectory(content), index, {}};
}

}  // namespace

// Block pointers, in the entry or in chunks.

Result<void> ContentEditor::LoadChunk(uint64_t index) {
  if (chunk_index_ == index && chunk_content_ == entry_.content) return {};
  StoreChunk();
  chunk_ = {};
  auto found = transaction_.Find(owner_, ChunkKey(entry_.content, index));
  if (found) {
    KVFS_ASSIGN(chunk_, Chunk::Decode(found->value));
  } else if (found.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(std::move(found).error());
  }
  chunk_index_ = index;
  chunk_content_ = entry_.content;
  return {};
}

void ContentEditor::StoreChunk() {
  if (!std::exchange(is_chunk_changed_, false)) return;
  const RecordKey key = ChunkKey(chunk_content_, *chunk_index_);
  std::vector<std::byte> value = chunk_.Encode();
  if (value.empty()) {
    transaction_.Erase(owner_, key);
  } else {
    transaction_.Put(owner_, key, std::move(value));
  }
}

Result<BlockPointer> ContentEditor::Get(uint64_t index) {
  if (entry_.content == 0) return entry_.direct[index];
  KVFS_TRY(LoadChunk(index / kBlocksPerChunk));
  return chunk_.blocks[index % kBlocksPerChunk];
}

Result<void> ContentEditor::Set(uint64_t index, BlockPointer block) {
  if (entry_.content == 0) {
    entry_.direct[index] = block;
    return {};
  }
  KVFS_TRY(LoadChunk(index / kBlocksPerChunk));
  BlockPointer& place = chunk_.blocks[index % kBlocksPerChunk];
  entry_.allocated += (block.IsHole() ? 0 : 1);
  entry_.allocated -= (place.IsHole() ? 0 : 1);
  place = block;
  is_chunk_changed_ = true;
  return {};
}

// Sizes.

Result<void> ContentEditor::Resize(uint64_t size) {
  if (size > entry_.size) return Grow(size);
  if (size < entry_.size) return Shrink(size);
  return {};
}

// A tail that is no longer at the end becomes a block, unless it is zeros, which need none.
Result<void> ContentEditor::Grow(uint64_t size) {
  const ContentShape before = shape(), after = ContentShape::Of(size, limit_);
  KVFS_TRY(ToShape(after));
  entry_.size = size;
  if (before.tail > 0 && after.blocks > before.blocks) {
    std::byte block[kBlockBytes] = {};
    CopyBytes(block, entry_.tail);
    if (!IsZero(entry_.tail)) {
      KVFS_ASSIGN(const BlockPointer pointer, transaction_.NewBlock(owner_, block));
      KVFS_TRY(Set(before.blocks, pointer));
    }
    entry_.tail.clear();
  }
  entry_.tail.resize(after.tail);
  return {};
}

Result<void> ContentEditor::Shrink(uint64_t size) {
  const ContentShape before = shape(), after = ContentShape::Of(size, limit_);
  if (after.blocks == before.blocks && after.tail > 0) {
    entry_.tail.resize(after.tail);
    entry_.size = size;
    return {};
  }
  std::vector<std::byte> tail(after.tail);
  if (after.tail > 0) {
    KVFS_ASSIGN(const BlockPointer block, Get(after.blocks));
    KVFS_TRY(transaction_.ReadBlock(owner_, block, 0, tail));
  } else if (size % kBlockBytes != 0) {
    KVFS_TRY(FreePart(after.blocks - 1, static_cast<uint32_t>(size % kBlockBytes), kBlockBytes));
  }
  KVFS_TRY(ToShape(after));
  entry_.tail = std::move(tail);
  entry_.size = size;
  return {};
}

// Makes room for more block pointers, or frees excess blocks.
Result<void> ContentEditor::ToShape(const ContentShape& next) {
  const bool was_direct = entry_.content == 0;
  const uint64_t blocks_before = shape().blocks;
  if (was_direct && !next.IsDirect()) {
    entry_.content = transaction_.TakeId(owner_);
    entry_.allocated = 0;
    for (uint64_t i = 0; i < blocks_before; ++i) {
      if (!entry_.direct[i].IsHole()) KVFS_TRY(Set(i, entry_.direct[i]));
      entry_.direct[i] = {};
    }
    return {};
  }
  if (was_direct || !next.IsDirect()) return FreeBlocks(next.blocks, blocks_before);
  // The remaining blocks move into the entry; the rest is freed later, however much it is.
  BlockPointer kept[format::kDirectBlocks];
  for (uint64_t i = 0; i < next.blocks; ++i) {
    KVFS_ASSIGN(kept[i], Get(i));
    KVFS_TRY(Set(i, {}));
  }
  StoreChunk();
  Bury(entry_.content);
  entry_.content = entry_.allocated = 0;
  std::ranges::copy(kept, entry_.direct);
  return {};
}

// Orphans the content: OrphanReclaimer frees it, a piece at a time.
void ContentEditor::Bury(uint64_t content) {
  transaction_.NoteOrphaned(entry_.allocated * kBlockBytes);
  transaction_.Put(owner_, {format::kOrphanDirectory, content, {}}, {});
  transaction_.CountOrphans(owner_, +1);
}

Result<void> ContentEditor::LetGo() {
  if (entry_.content != 0) {
    StoreChunk();
    Bury(entry_.content);
  } else {
    for (BlockPointer& block : entry_.direct) {
      transaction_.FreeBlock(owner_, block);
      block = {};
    }
  }
  entry_.size = entry_.content = entry_.allocated = 0;
  entry_.tail.clear();
  return {};
}

// Whole blocks [from, end); of a chunked content only the chunks that exist are visited.
Result<void> ContentEditor::FreeBlocks(uint64_t from, uint64_t end) {
  auto free_range = [this](uint64_t begin, uint64_t stop) -> Result<void> {
    for (uint64_t i = begin; i < stop; ++i) {
      KVFS_ASSIGN(const BlockPointer block, Get(i));
      if (block.IsHole()) continue;
      transaction_.FreeBlock(owner_, block);
      KVFS_TRY(Set(i, {}));
    }
    return {};
  };
  if (from >= end) return {};
  if (entry_.content == 0) return free_range(from, end);
  StoreChunk();
  const uint64_t first_whole = (from + kBlocksPerChunk - 1) / kBlocksPerChunk;
  const uint64_t end_whole = std::max(first_whole, end / kBlocksPerChunk);
  KVFS_TRY(LeaveBehind(first_whole, end_whole));
  KVFS_ASSIGN(const std::vector<uint64_t> chunks,
              transaction_.NumbersOf(owner_, format::ContentDirectory(entry_.content),
                                     from / kBlocksPerChunk,
                                     (end + kBlocksPerChunk - 1) / kBlocksPerChunk));
  for (const uint64_t chunk : chunks) {
    const uint64_t begin = chunk * kBlocksPerChunk;
    KVFS_TRY(free_range(std::max(from, begin), std::min(end, begin + kBlocksPerChunk)));
  }
  const auto whole = std::ranges::count_if(
      chunks, [&](uint64_t chunk) { return chunk >= first_whole && chunk < end_whole; });
  transaction_.NoteRowErased(owner_, {format::ContentDirectory(entry_.content), first_whole,
                                      end_whole, static_cast<uint64_t>(whole)});
  return {};
}

// If the chunks in [from, end) are many and the others few, the others move to a new content, and
// the old one is orphaned with the rest: dropping it costs nothing now, however much it is.
Result<void> ContentEditor::LeaveBehind(uint64_t from, uint64_t end) {
  if (end - from <= kMostFreedChunks || entry_.allocated <= kMostFreedChunks) return {};
  const uint64_t old = entry_.content, directory = format::ContentDirectory(old);
  KVFS_ASSIGN(const auto given_up,
              transaction_.NumbersOf(owner_, directory, from, end, kMostFreedChunks + 1));
  if (given_up.size() <= kMostFreedChunks) return {};
  KVFS_ASSIGN(auto kept, transaction_.NumbersOf(owner_, directory, 0, from, kMostMovedChunks + 1));
  KVFS_ASSIGN(const auto behind,
              transaction_.NumbersOf(owner_, directory, end, ~uint64_t{0}, kMostMovedChunks + 1));
  kept.insert(kept.end(), behind.begin(), behind.end());
  if (kept.size() > kMostMovedChunks) return {};
  const uint64_t content = transaction_.TakeId(owner_);
  uint64_t allocated = 0;
  for (const uint64_t index : kept) {
    KVFS_ASSIGN(const auto found, transaction_.Find(owner_, ChunkKey(old, index)));
    KVFS_ASSIGN(const Chunk chunk, Chunk::Decode(found.value));
    allocated += static_cast<uint64_t>(
        std::ranges::count_if(chunk.blocks, [](const auto& block) { return !block.IsHole(); }));
    transaction_.Put(owner_, ChunkKey(content, index), chunk.Encode());
    transaction_.Erase(owner_, ChunkKey(old, index));
  }
  entry_.allocated -= allocated;
  Bury(old);
  entry_.content = content;
  entry_.allocated = allocated;
  return {};
}

// Bytes.

Result<void> ContentEditor::Write(uint64_t offset, Bytes data) {
  if (data.empty()) return {};
  const uint64_t end = offset + data.size();
  if (end > entry_.size) KVFS_TRY(Grow(end));
  const uint64_t tail_begin = shape().TailBegin();
  const size_t in_blocks =
      offset >= tail_begin
          ? 0
          : static_cast<size_t>(std::min<uint64_t>(data.size(), tail_begin - offset));
  KVFS_TRY(WriteToBlocks(offset, data.first(in_blocks)));
  if (in_blocks == data.size()) return {};
  CopyBytes(entry_.tail.data() + (offset + in_blocks - tail_begin), data.subspan(in_blocks));
  return {};
}

Result<void> ContentEditor::WriteToBlocks(uint64_t offset, Bytes data) {
  if (data.size() > kBlockBytes) {
    KVFS_TRY(transaction_.WantBlocks(owner_, data.size() / kBlockBytes));
  }
  while (!data.empty()) {
    const uint64_t index = offset / kBlockBytes;
    const auto within = static_cast<uint32_t>(offset % kBlockBytes);
    const size_t count = std::min<size_t>(data.size(), kBlockBytes - within);
    KVFS_ASSIGN(const BlockPointer block, Get(index));
    KVFS_ASSIGN(const BlockPointer changed,
                transaction_.ChangeBlock(owner_, block, within, data.first(count)));
    KVFS_TRY(Set(index, changed));
    data = data.subspan(count);
    offset += count;
  }
  return {};
}

Result<void> ContentEditor::PlaceBlocks(const Change& change) {
  const uint64_t end = change.offset + change.BlockCount() * uint64_t{kBlockBytes};
  if (end > entry_.size) KVFS_TRY(Grow(end));
  for (size_t i = 0; i < change.BlockCount(); ++i) {
    const uint64_t index = change.offset / kBlockBytes + i;
    KVFS_ASSIGN(const BlockPointer old, Get(index));
    transaction_.FreeBlock(owner_, old);
    KVFS_TRY(Set(index, change.Block(i)));
  }
  return {};
}

// Zeroes a part of one block.
Result<void> ContentEditor::FreePart(uint64_t index, uint32_t begin, uint32_t end) {
  KVFS_ASSIGN(const BlockPointer block, Get(index));
  if (block.ReadsAsZeros() || begin == end) return {};
  KVFS_ASSIGN(const BlockPointer changed,
              transaction_.ChangeBlock(owner_, block, begin, Bytes(kZeros).first(end - begin)));
  return Set(index, changed);
}

Result<void> ContentEditor::Punch(uint64_t offset, uint64_t length) {
  if (offset >= entry_.size || length == 0) return {};
  const uint64_t end = offset + std::min(length, entry_.size - offset);
  const uint64_t tail_begin = shape().TailBegin();
  if (end > tail_begin) {
    const uint64_t from = std::max(offset, tail_begin) - tail_begin;
    std::fill(entry_.tail.begin() + static_cast<ptrdiff_t>(from),
              entry_.tail.begin() + static_cast<ptrdiff_t>(end - tail_begin), std::byte{0});
  }
  // The last block is zero beyond the content's end.
  const uint64_t blocks_end = end == entry_.size ? tail_begin : std::min(end, tail_begin);
  if (offset >= blocks_end) return {};
  const uint64_t first_whole = (offset + kBlockBytes - 1) / kBlockBytes;
  const uint64_t end_whole = blocks_end / kBlockBytes;
  const auto head = static_cast<uint32_t>(offset % kBlockBytes);
  const auto foot = static_cast<uint32_t>(blocks_end % kBlockBytes);
  if (first_whole > end_whole) return FreePart(offset / kBlockBytes, head, foot);
  if (head > 0) KVFS_TRY(FreePart(offset / kBlockBytes, head, kBlockBytes));
  if (foot > 0) KVFS_TRY(FreePart(end_whole, 0, foot));
  return FreeBlocks(first_whole, end_whole);
}

Result<void> ContentEditor::Allocate(uint64_t offset, uint64_t length) {
  const uint64_t end = std::min(shape().TailBegin(), offset + length);
  if (offset >= end) return {};
  const uint64_t end_index = (end + kBlockBytes - 1) / kBlockBytes;
  KVFS_TRY(transaction_.WantBlocks(owner_, end_index - offset / kBlockBytes));
  for (uint64_t index = offset / kBlockBytes; index < end_index; ++index) {
    KVFS_ASSIGN(const BlockPointer block, Get(index));
    if (!block.IsHole()) continue;
    KVFS_ASSIGN(const BlockPointer unwritten, transaction_.NewUnwritten(owner_));
    KVFS_TRY(Set(index, unwritten));
  }
  return {};
}

}  // namespace kvfs
