// One change of one entry, as a log record carries it: resolved, so that a replay needs no decision
// and yields the same store. Pure.
//
//   0   kind          u8
//   1   flags         u8   see below
//   2   name length   u8
//   3   meta length   u8
//   4   data length   u32
//   8   directory     u64
//   16  first         u64  id (kPut), offset (kWrite, kWriteBlocks, kPunch, kAllocate), size
//                          (kResize), second directory (kMove, kExchange, kTakeContent), content id
//                          (kReclaim)
//   24  second        u64  of the kinds that have one: length (kPunch, kAllocate), owner shard
//                          (kWriteBlocks), end (kReclaim)
//       second name length u8   kMove, kExchange, kTakeContent
//       name | second name | meta | data
//
// The data of kWriteBlocks are block pointers of 16 bytes, whose blocks were written before the
// record; `offset` is a multiple of the block size.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <kvfs/bytes.h>
#include <kvfs/status.h>
#include "store/format/pointer.h"

namespace kvfs::format {

inline constexpr uint32_t kChangeHeaderBytes = 24;

struct Change {
  enum class Kind : uint8_t {
    kPut = 1,      // creates or replaces the entry, with the content `data`
    kErase,        // and its content
    kMove,         // replaces the entry that has the second key
    kExchange,     // swaps the keys of two entries
    kMeta,         // only the meta
    kWrite,        // `data` at `offset`
    kWriteBlocks,  // places the blocks of shard `owner` that `data` names at `offset`
    kResize,       // to `size`
    kPunch,        // `length` bytes at `offset` become a hole
    kAllocate,     // holes in `length` bytes at `offset` get blocks
    kReclaim,      // frees the chunks below `end` of an orphaned content
    kTakeContent,  // moves the content of the entry with the second key, which is erased
  };
  // The entry that kPut and kErase found: absent, or without blocks. A replay must look it up only
  // if this is kUnknown.
  enum class Found : uint8_t { kUnknown = 0, kAbsent, kWithoutBlocks };

  Kind kind = Kind::kMeta;
  Found found = Found::kUnknown;
  uint64_t directory = 0;
  std::string_view name;
  uint64_t id = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t length = 0;
  uint64_t to_directory = 0;
  std::string_view to_name;
  uint64_t owner = 0;
  uint64_t content = 0;
  uint64_t end = 0;
  std::optional<std::string_view> meta;
  std::optional<std::string_view> to_meta;  // kExchange: for the entry that had the second key
  Bytes data;

  size_t EncodedBytes() const;
  void AppendTo(std::vector<std::byte>* out) const;

  size_t BlockCount() const { return data.size() / BlockPointer::kBytes; }
  BlockPointer Block(size_t index) const {
    return BlockPointer::Decode(data.data() + index * BlockPointer::kBytes);
  }
};

// Whether a change of this kind has a second key.
constexpr bool HasSecondName(Change::Kind kind) {
  return kind == Change::Kind::kMove || kind == Change::Kind::kExchange ||
         kind == Change::Kind::kTakeContent;
}

// The changes of a record's payload, in order; they borrow its bytes. kCorrupt if it is malformed.
Result<std::vector<Change>> DecodeChanges(Bytes payload);

}  // namespace kvfs::format
