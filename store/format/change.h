// One change of one entry, as a log record carries it: resolved, so that replaying needs no
// decision and gives the same store. Pure.
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
// The data of kWriteBlocks are block pointers of 16 bytes; their blocks were written before the
// record was, so it starts at a multiple of the block size.
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
    kMove,         // replaces what has the second key
    kExchange,     // two entries change places
    kMeta,         // only the meta
    kWrite,        // `data` at `offset`
    kWriteBlocks,  // the blocks that `data` names, at `offset`; they lie in shard `owner`
    kResize,       // to `size`
    kPunch,        // `length` bytes at `offset` become a hole
    kAllocate,     // holes in `length` bytes at `offset` get blocks
    kReclaim,      // frees the chunks below `end` of a content that nothing refers to
    kTakeContent,  // the entry gets the content of that with the second key, which is erased
  };
  // What kPut and kErase find there, so that a replay need not look: the entry was absent, or it
  // had no blocks. With neither it must.
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
  std::optional<std::string_view> to_meta;  // kExchange: of the entry that had the second key
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
