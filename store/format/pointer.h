// Pointers to pages and blocks: a number, and a means to verify what is there.
//
// A number counts pages (or blocks) from the start of the shard's file; 0 is never allocated, and
// means "none" (a tree without pages, a hole in a content).
#pragma once

#include <cstdint>

#include <kvfs/bytes.h>

namespace kvfs::format {

// Numbers of pages and blocks are below this, so that arithmetic on a damaged one cannot overflow.
inline constexpr uint64_t kMaxNumber = uint64_t{1} << 48;

// A page carries its own checksum, number and epoch of birth. The pointer repeats the epoch, so
// that a stale page, left in place by a lost write, is detected.
struct PagePointer {
  static constexpr uint32_t kBytes = 16;
  uint64_t number = 0;
  uint64_t epoch = 0;

  bool IsNull() const { return number == 0; }
  bool operator==(const PagePointer&) const = default;
  static PagePointer Decode(const std::byte* at) {
    return {LoadLittle<uint64_t>(at), LoadLittle<uint64_t>(at + 8)};
  }
  void Encode(std::byte* at) const {
    StoreLittle(at, number);
    StoreLittle(at + 8, epoch);
  }
};

// A block holds only the user's bytes, so its checksum is stored here.
struct BlockPointer {
  static constexpr uint32_t kBytes = 16;
  // Set in the number of an allocated but never written block: it reads as zeros.
  static constexpr uint64_t kUnwritten = uint64_t{1} << 63;

  uint64_t number = 0;
  uint64_t checksum = 0;

  bool IsHole() const { return number == 0; }
  bool IsUnwritten() const { return (number & kUnwritten) != 0; }
  bool ReadsAsZeros() const { return IsHole() || IsUnwritten(); }
  // The block's number, whether it was written or not.
  uint64_t Place() const { return number & ~kUnwritten; }
  bool operator==(const BlockPointer&) const = default;
  static BlockPointer Decode(const std::byte* at) {
    return {LoadLittle<uint64_t>(at), LoadLittle<uint64_t>(at + 8)};
  }
  void Encode(std::byte* at) const {
    StoreLittle(at, number);
    StoreLittle(at + 8, checksum);
  }
};

}  // namespace kvfs::format
