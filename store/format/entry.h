// What a leaf says of an entry, as the value of its record, and how a content is cut. Pure.
//
// A content is a row of blocks of 4 KiB and a *tail*: what lies behind the last whole block, if
// that is at most the inline limit; it lies in the entry itself. So a small content is all tail,
// and a large one does not waste most of its last block.
//
//   flags u8 | id varint | meta length u8, meta (flag 1) | size varint (flag 2)
//     | content id varint, allocated blocks varint (flags 2 and 4)
//     | block list, of as many blocks as the size has (flag 2 without 4)
//     | tail, to the end
//
// Flag 128, alone, stands for an entry that was lost when the store was recovered from damage.
//
// Without flag 2 the content is all tail, and the size that of the tail. With it and up to
// kDirectBlocks blocks, these stand in the entry; of more, in chunks (chunk.h) under a content id
// of their own, so that a large content can be let go of in one step.
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

// Spaces from 2^63 up belong to the store itself.
inline constexpr uint64_t kFirstOwnDirectory = uint64_t{1} << 63;
// Contents that nothing refers to any more, whose blocks are still to be freed; numbered by
// content.
inline constexpr uint64_t kOrphanDirectory = ~uint64_t{0};
// Ids of entries: below are the directories that callers may use as they like.
inline constexpr uint64_t kFirstEntryId = 16;
inline constexpr uint64_t kMaxId = uint64_t{1} << 62;
// Ids are counted up, and no store comes this far by counting. Callers may choose ids above it; the
// count does not go on from those, and so never leaves the range.
inline constexpr uint64_t kMaxCountedId = kMaxId / 2;
constexpr uint64_t ContentDirectory(uint64_t content) { return kFirstOwnDirectory | content; }

// The largest tail that lies in a leaf: an eighth of a page, so that pages can be filled well.
constexpr uint32_t InlineLimitBytes(uint32_t page_bytes) {
  return page_bytes / 8 < kBlockBytes ? page_bytes / 8 : kBlockBytes - 1;
}

// How a content of `size` bytes is cut, where tails have at most `limit` bytes.
struct ContentShape {
  uint32_t tail = 0;    // bytes
  uint64_t blocks = 0;  // before the tail; the last one may be in use in part

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
  Bytes direct;            // the block list, if the blocks stand here and there are any
  uint64_t content = 0;    // content id, if they stand in chunks
  uint64_t allocated = 0;  // blocks that are no holes, if they stand in chunks

  // kCorrupt if the bytes are no entry under that inline limit.
  static Result<Entry> Decode(Bytes value, uint32_t inline_limit);
  // Appends to `out`, which is cleared first.
  void Encode(uint32_t inline_limit, std::vector<std::byte>* out) const;
  // What stands for an entry that damage has destroyed: Decode says that it is lost.
  static std::vector<std::byte> Lost();
};

}  // namespace kvfs::format
