// The bytes of a file in memory: sparse, in chunks that never move, cheap to copy.
//
// A copy shares the chunks of its original until one of the two changes them (copy-on-write), so
// that a crash image of a large disk costs little. View makes a chunk private to its content: from
// then on it is changed in place, and the pointer stays valid while the content lives. INVARIANT: a
// viewed chunk is not shared. A content that has views must not be copied.
//
// Space is counted in blocks of 4 KiB, as on a disk: the first write or Allocate takes a block, and
// a punched hole that covers it frees it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include <kvfs/bytes.h>

namespace kvfs {

class MemoryContent {
 public:
  static constexpr uint64_t kChunkBytes = uint64_t{64} << 10;
  static constexpr uint64_t kBlockBytes = uint64_t{4} << 10;

  uint64_t size() const { return size_; }
  uint64_t allocated_bytes() const { return allocated_bytes_; }

  // How much allocated_bytes would grow if the range were allocated.
  uint64_t MissingBytes(uint64_t offset, uint64_t length) const;
  // Bytes of the range, in whole blocks, that have been written before.
  uint64_t OverwrittenBytes(uint64_t offset, uint64_t length) const;
  // Whether the block with this byte is allocated.
  bool HasBlock(uint64_t offset) const { return MissingBytes(offset, 1) == 0; }

  // The range must lie within the size.
  void Read(uint64_t offset, MutableBytes out) const;
  // The range must lie within the size and within one chunk.
  const std::byte* View(uint64_t offset, uint64_t length);

  // Extends the size where needed.
  void Write(uint64_t offset, Bytes data);
  void Allocate(uint64_t offset, uint64_t length);
  void Grow(uint64_t size);
  // Keeps the size.
  void Punch(uint64_t offset, uint64_t length);
  void Shorten(uint64_t size);
  void Clear();

 private:
  using Chunk = std::array<std::byte, kChunkBytes>;
  struct Place {
    std::shared_ptr<Chunk> chunk;   // null: reads as zeros
    uint16_t allocated_blocks = 0;  // one bit for each block
    uint16_t written_blocks = 0;    // the same
  };
  static_assert(kChunkBytes / kBlockBytes == 16);

  Chunk& OwnChunk(Place& place);
  void TakeBlocks(Place& place, uint16_t blocks);
  void GiveBlocks(Place& place, uint16_t blocks);

  std::map<uint64_t, Place> places_;  // by offset / kChunkBytes
  uint64_t size_ = 0;
  uint64_t allocated_bytes_ = 0;
};

}  // namespace kvfs
