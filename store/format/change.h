// One change of one entry, as a log record carries it: resolved, so that replaying needs no
// decision and gives the same store. Pure.
//
//   0   kind          u8
//   1   has meta      u8
//   2   name length   u8
//   3   second name length u8   kMove
//   4   meta length   u8
//   5   zero          3 bytes
//   8   data length   u32
//   12  space         u64
//   20  first         u64  id (kPut), offset (kWrite, kWriteBlocks, kPunch), size (kResize),
//                          second space (kMove)
//   28  second        u64  length (kPunch), id (kWriteBlocks)
//   36  name | second name | meta | data
//
// The data of kWriteBlocks are block pointers of 16 bytes; their blocks were written before the
// record was, at once for whole blocks, so they start at a multiple of the block size.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "store/bytes.h"
#include "store/format/pointer.h"
#include "store/status.h"

namespace kvfs::format {

inline constexpr uint32_t kChangeHeaderBytes = 36;

struct Change {
  enum class Kind : uint8_t {
    kPut = 1,      // creates or replaces the entry, with the content `data`
    kErase,        // and its content
    kMove,         // replaces what has the second key
    kMeta,         // only the meta
    kWrite,        // `data` at `offset`
    kWriteBlocks,  // the blocks that `data` names, at `offset`; `id` tells their shard
    kResize,       // to `size`
    kPunch,        // `length` bytes at `offset`
  };

  Kind kind = Kind::kMeta;
  uint64_t space = 0;
  std::string_view name;
  uint64_t id = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t length = 0;
  uint64_t to_space = 0;
  std::string_view to_name;
  std::optional<std::string_view> meta;
  Bytes data;

  size_t EncodedBytes() const {
    return kChangeHeaderBytes + name.size() + to_name.size() + (meta ? meta->size() : 0) +
           data.size();
  }
  void AppendTo(std::vector<std::byte>* out) const;

  size_t BlockCount() const { return data.size() / BlockPointer::kBytes; }
  BlockPointer Block(size_t index) const {
    return BlockPointer::Decode(data.data() + index * BlockPointer::kBytes);
  }
};

// The changes of a record's payload, in order; they borrow its bytes. kCorrupt if it is malformed.
Result<std::vector<Change>> DecodeChanges(Bytes payload);

}  // namespace kvfs::format
