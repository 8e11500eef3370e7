// What a leaf says of an entry, as the value of its record, and of a content's chunk. Pure.
//
//   entry:  0 id u64 | 8 size u64 | 16 meta length u8 | 17 meta | content of `size` bytes
//                                                     ... or, if size > the inline limit,
//                                                           | blocks u64
//   chunk:  up to 32 block pointers of 16 bytes: number u64, checksum u64; 0, 0 is a hole.
//           A chunk ends with its last block that is none.
//
// INVARIANT: a content lies in its entry if and only if its size is at most the inline limit.
//
// An entry's record has the key (space, hash of the name, name). The chunks of a content have the
// keys (ContentSpace(id), index of the chunk, ""): 32 blocks each, so that a write of one block
// changes one record of 512 bytes, and a GiB needs 8192 of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "store/bytes.h"
#include "store/format/page.h"
#include "store/format/pointer.h"
#include "store/status.h"

namespace kvfs::format {

inline constexpr uint32_t kBlockBytes = 4096;
inline constexpr uint32_t kBlocksPerChunk = 32;
inline constexpr uint64_t kChunkBytes = uint64_t{kBlockBytes} * kBlocksPerChunk;
inline constexpr uint32_t kEntryHeaderBytes = 17;
inline constexpr uint32_t kBlockCountBytes = 8;

// Spaces from 2^63 up belong to the store itself.
inline constexpr uint64_t kFirstOwnSpace = uint64_t{1} << 63;
inline constexpr uint64_t kPageMapSpace = ~uint64_t{0};
inline constexpr uint64_t kBlockMapSpace = ~uint64_t{0} - 1;
// Ids of entries: below are the spaces that callers may use as they like.
inline constexpr uint64_t kFirstEntryId = 16;
inline constexpr uint64_t kMaxId = uint64_t{1} << 62;
constexpr uint64_t ContentSpace(uint64_t id) { return kFirstOwnSpace | id; }

// The largest content that lies in a leaf: about a quarter of a page, and small enough for the
// longest name and meta beside it.
constexpr uint32_t InlineLimitBytes(uint32_t page_bytes) {
  constexpr uint32_t kLongestNameAndMeta = 255 + 255;
  uint32_t quarter = page_bytes / 4;
  uint32_t room =
      MaxRecordBytes(page_bytes) - RecordBytes(0, kEntryHeaderBytes) - kLongestNameAndMeta;
  return quarter < room ? quarter : room;
}

// An entry, decoded. Borrows meta and content from the bytes it was decoded from.
struct Entry {
  uint64_t id = 0;
  uint64_t size = 0;
  std::string_view meta;
  Bytes content;        // if it lies inline
  uint64_t blocks = 0;  // that the content has, if it does not

  // kCorrupt if the bytes are no entry under that inline limit.
  static Result<Entry> Decode(Bytes value, uint32_t inline_limit);
  // Appends to `out`, which is cleared first.
  void Encode(uint32_t inline_limit, std::vector<std::byte>* out) const;
};

// A chunk's block pointers, all 32, holes included.
struct Chunk {
  BlockPointer blocks[kBlocksPerChunk];

  static Result<Chunk> Decode(Bytes value);
  // The bytes of the record's value; none if the chunk is all holes.
  std::vector<std::byte> Encode() const;
  bool IsHole() const;
};

}  // namespace kvfs::format
