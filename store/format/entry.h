// The value of an entry's record in a leaf, and how a content is divided into blocks and tail.
// Pure.
//
// A content is a row of 4 KiB blocks and a *tail*: the bytes after the last whole block, if they do
// not exceed the inline limit. The tail is stored in the entry itself. So a small content is all
// tail, and a large one does not waste most of its last block.
//
//   flags u8 | id varint | meta length u8, meta (flag 1) | size varint (flag 2)
//     | content id varint, allocated blocks varint (flags 2 and 4)
//     | block list, of as many blocks as the size has (flag 2 without 4)
//     | tail, to the end
//
// Flag 128, alone, marks an entry that was lost when the store was recovered from damage.
//
// Without flag 2 the content is all tail, and its size is the tail's. With it, up to kDirectBlocks
// block pointers are stored in the entry; more are stored in chunks (chunk.h) under a content id of
// their own, so that a large content can be orphaned in one step.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <kvfs/bytes.h>
#include <kvfs/status.h>
#include "store/format/block_list.h"
#include "store/format/page.h"
#include "store/format/pointer.h"

namespace kvfs::format {

inline constexpr uint32_t kBlockBytes = 4096;
inline constexpr uint32_t kDirectBlocks = 8;

// Directories from 2^63 up belong to the store itself.
inline constexpr uint64_t kFirstOwnDirectory = uint64_t{1} << 63;
// Orphaned contents, whose blocks are yet to be freed; records are numbered by content id.
inline constexpr uint64_t kOrphanDirectory = ~uint64_t{0};
// Smallest id of an entry: lower numbers are directories for the callers' own use.
inline constexpr uint64_t kFirstEntryId = 16;
inline constexpr uint64_t kMaxId = uint64_t{1} << 62;
// Largest id that the counter of ids may reach, which no store does in practice. Callers may choose
// ids above it; the counter never continues from those, and so never leaves its range.
inline constexpr uint64_t kMaxCountedId = kMaxId / 2;
constexpr uint64_t ContentDirectory(uint64_t content) { return kFirstOwnDirectory | content; }

// The largest tail stored in a leaf: an eighth of a page, so that pages can be filled well.
constexpr uint32_t InlineLimitBytes(uint32_t page_bytes) {
  return page_bytes / 8 < kBlockBytes ? page_bytes / 8 : kBlockBytes - 1;
}

// How a content of `size` bytes is divided, if tails have at most `limit` bytes.
struct ContentShape {
  uint32_t tail = 0;    // bytes
  uint64_t blocks = 0;  // before the tail; the last one may be partly used

  static ContentShape Of(uint64_t size, uint32_t limit) {
    const auto rest = static_cast<uint32_t>(size % kBlockBytes);
    if (rest <= limit) return {rest, size / kBlockBytes};
    return {0, size / kBlockBytes + 1};
  }
  uint64_t TailBegin() const { return blocks * kBlockBytes; }
  bool IsDirect() const { return blocks <= kDirectBlocks; }
};

// An entry, decoded. Borrows from the bytes it was decoded from.
struct Entry {
  uint64_t id = 0;
  uint64_t size = 0;
  std::string_view meta;
  Bytes tail;
  Bytes direct;            // the block list, if the entry has direct blocks
  uint64_t content = 0;    // content id, if the blocks are in chunks
  uint64_t allocated = 0;  // non-hole blocks, if the blocks are in chunks

  // kCorrupt if the bytes are not an entry under this inline limit.
  static Result<Entry> Decode(Bytes value, uint32_t inline_limit);
  // Encodes into `out`, replacing its contents.
  void Encode(uint32_t inline_limit, std::vector<std::byte>* out) const;
  // The mark of an entry that damage has destroyed: Decode returns kCorrupt for it.
  static std::vector<std::byte> Lost();
};

}  // namespace kvfs::format
