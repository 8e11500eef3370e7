// A part of the block table of a large content: up to 32 consecutive block pointers, stored as the
// value of a numbered record. Pure.
//
// The chunks of a content have the keys (ContentDirectory(content id), index of the chunk). A write
// of one block changes one record of about 300 bytes, and a GiB needs 8192 of them. A chunk ends
// with its last block that is no hole; one that is all holes has no record.
#pragma once

#include <cstdint>
#include <vector>

#include <kvfs/bytes.h>
#include <kvfs/status.h>
#include "store/format/entry.h"

namespace kvfs::format {

inline constexpr uint32_t kBlocksPerChunk = 32;
inline constexpr uint64_t kChunkBytes = uint64_t{kBlockBytes} * kBlocksPerChunk;

struct Chunk {
  BlockPointer blocks[kBlocksPerChunk];

  // kCorrupt if the bytes are not a chunk.
  static Result<Chunk> Decode(Bytes value);
  // The bytes of the record's value; empty if the chunk is all holes.
  std::vector<std::byte> Encode() const;
};

// The value of a record of kOrphanDirectory: the index of the first chunk of the content that may
// be left, as a varint. Empty or malformed values decode as 0, since scanning more chunks does no
// harm.
std::vector<std::byte> EncodeFirstLeft(uint64_t chunk);
uint64_t DecodeFirstLeft(Bytes value);

}  // namespace kvfs::format
