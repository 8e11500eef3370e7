// Ranges cut into chunks, chunks into blocks.
#include "store/contents.h"

#include <algorithm>

namespace kvfs {

using format::BlockPointer;
using format::Change;
using format::Chunk;
using format::kBlockBytes;
using format::kBlocksPerChunk;
using format::kChunkBytes;

namespace {

constexpr std::byte kZeros[kBlockBytes] = {};

uint32_t BlockInChunk(uint64_t offset) {
  return static_cast<uint32_t>(offset / kBlockBytes % kBlocksPerChunk);
}

uint64_t RoundUp(uint64_t offset, uint64_t unit) { return (offset + unit - 1) / unit * unit; }

}  // namespace

Result<Chunk> Contents::ReadChunk(uint64_t id, uint64_t index) const {
  auto value = tree_->Find(ChunkKey(id, index));
  if (!value) {
    if (value.error().code == ErrorCode::kNotFound) return Chunk{};
    return tl::unexpected(std::move(value).error());
  }
  return Chunk::Decode(*value);
}

Result<void> Contents::StoreChunk(uint64_t id, uint64_t index, const Chunk& chunk) {
  if (chunk.IsHole()) return tree_->Erase(ChunkKey(id, index));
  return tree_->Put(ChunkKey(id, index), chunk.Encode());
}

Result<void> Contents::Read(uint64_t id, uint64_t offset, MutableBytes out) const {
  while (!out.empty()) {
    KVFS_ASSIGN(Chunk chunk, ReadChunk(id, offset / kChunkBytes));
    const uint64_t chunk_end = offset - offset % kChunkBytes + kChunkBytes;
    while (!out.empty() && offset < chunk_end) {
      const uint32_t within = static_cast<uint32_t>(offset % kBlockBytes);
      const size_t count = std::min<size_t>(out.size(), kBlockBytes - within);
      KVFS_TRY(blocks_->Read(chunk.blocks[BlockInChunk(offset)], within, out.first(count)));
      out = out.subspan(count);
      offset += count;
    }
  }
  return {};
}

Result<void> Contents::CheckRange(uint64_t id, uint64_t offset, uint64_t length) const {
  for (uint64_t edge : {offset, offset + length}) {
    if (edge % kBlockBytes == 0) continue;
    KVFS_ASSIGN(Chunk chunk, ReadChunk(id, edge / kChunkBytes));
    KVFS_TRY(blocks_->Check(chunk.blocks[BlockInChunk(edge)]));
  }
  Cursor cursor(pages_, tree_->root());
  KVFS_TRY(cursor.Seek(ChunkKey(id, offset / kChunkBytes)));
  while (cursor.Valid() && cursor.Key().space == format::ContentSpace(id) &&
         cursor.Key().position * kChunkBytes < offset + length) {
    KVFS_TRY(Chunk::Decode(cursor.Value()));
    KVFS_TRY(cursor.Next());
  }
  return {};
}

Result<void> Contents::Write(uint64_t id, uint64_t offset, Bytes data, uint64_t* blocks) {
  while (!data.empty()) {
    const uint64_t index = offset / kChunkBytes;
    KVFS_ASSIGN(Chunk chunk, ReadChunk(id, index));
    while (!data.empty() && offset / kChunkBytes == index) {
      const uint32_t within = static_cast<uint32_t>(offset % kBlockBytes);
      const size_t count = std::min<size_t>(data.size(), kBlockBytes - within);
      BlockPointer& block = chunk.blocks[BlockInChunk(offset)];
      if (block.IsHole()) ++*blocks;
      block = blocks_->Modify(block, within, data.first(count));
      data = data.subspan(count);
      offset += count;
    }
    KVFS_TRY(StoreChunk(id, index, chunk));
  }
  return {};
}

Result<void> Contents::PlaceBlocks(uint64_t id, const Change& change, uint64_t* blocks) {
  uint64_t number = change.offset / kBlockBytes;
  size_t placed = 0;
  while (placed < change.BlockCount()) {
    const uint64_t index = number / kBlocksPerChunk;
    KVFS_ASSIGN(Chunk chunk, ReadChunk(id, index));
    for (; placed < change.BlockCount() && number / kBlocksPerChunk == index; ++placed, ++number) {
      BlockPointer& block = chunk.blocks[number % kBlocksPerChunk];
      if (block.IsHole()) {
        ++*blocks;
      } else {
        blocks_->Free(block);
      }
      block = change.Block(placed);
    }
    KVFS_TRY(StoreChunk(id, index, chunk));
  }
  return {};
}

// [begin, end) counts bytes within the chunk.
void Contents::PunchBlocks(Chunk* chunk, uint64_t begin, uint64_t end, uint64_t* blocks) {
  while (begin < end) {
    const uint32_t within = static_cast<uint32_t>(begin % kBlockBytes);
    const uint64_t count = std::min<uint64_t>(end - begin, kBlockBytes - within);
    BlockPointer& block = chunk->blocks[begin / kBlockBytes];
    if (block.IsHole()) {
      // Zeros already.
    } else if (count == kBlockBytes) {
      blocks_->Free(block);
      block = {};
      --*blocks;
    } else {
      block = blocks_->Modify(block, within, Bytes(kZeros).first(count));
    }
    begin += count;
  }
}

Result<void> Contents::Punch(uint64_t id, uint64_t offset, uint64_t length, uint64_t* blocks) {
  const uint64_t end = offset + length;
  uint64_t index = offset / kChunkBytes;
  // Visits the chunks that exist: a hole of any size costs nothing.
  while (true) {
    Cursor cursor(pages_, tree_->root());
    KVFS_TRY(cursor.Seek(ChunkKey(id, index)));
    if (!cursor.Valid() || cursor.Key().space != format::ContentSpace(id)) return {};
    index = cursor.Key().position;
    if (index >= RoundUp(end, kChunkBytes) / kChunkBytes) return {};
    KVFS_ASSIGN(Chunk chunk, Chunk::Decode(cursor.Value()));
    const uint64_t chunk_begin = index * kChunkBytes;
    PunchBlocks(&chunk, std::max(offset, chunk_begin) - chunk_begin,
                std::min(end, chunk_begin + kChunkBytes) - chunk_begin, blocks);
    KVFS_TRY(StoreChunk(id, index, chunk));
    ++index;
  }
}

}  // namespace kvfs
