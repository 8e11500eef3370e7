// The mark beside the log: the last record that a process had appended when it died. Pure.
//
//   0   magic "KVFSMARK" | 8 checksum u64 of the bytes from 16 to 64 | 16 store id 16 bytes
//       | 32 life u64: the number of the life's first segment, shifted right by 32
//       | 40 residence u64: checksum of what the system says of the file | 48 zero
//   64  sequence u64 | 72 its complement u64
//   80  the same once more: the two places are written alternately
//
// It is never synced, and is valid only if the file's residence (File::Residence) is still the one
// it was written under: then the system has lost none of it.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "store/format/log_segment.h"

namespace kvfs::format {

inline constexpr uint32_t kLogMarkHeaderBytes = 64;
inline constexpr uint32_t kLogMarkPlaceBytes = 16;
inline constexpr uint32_t kLogMarkBytes = kLogMarkHeaderBytes + 2 * kLogMarkPlaceBytes;

// The life that a segment belongs to: each opening starts its segment numbers at the next multiple
// of 2^32.
constexpr uint64_t LifeOf(uint64_t segment_number) { return segment_number >> 32; }

struct LogMark {
  uint64_t life = 0;
  uint64_t sequence = 0;  // 0: none

  // Nothing unless the bytes are a mark of this store, written under this residence.
  static std::optional<LogMark> Decode(Bytes bytes, const StoreId& store,
                                       std::string_view residence);
  static std::array<std::byte, kLogMarkHeaderBytes> EncodeHeader(const StoreId& store,
                                                                 uint64_t life,
                                                                 std::string_view residence);
};

// The offset at which a sequence is written, and its bytes.
constexpr uint64_t LogMarkPlace(uint64_t sequence) {
  return kLogMarkHeaderBytes + sequence % 2 * kLogMarkPlaceBytes;
}
inline std::array<std::byte, kLogMarkPlaceBytes> EncodeLogMarkSequence(uint64_t sequence) {
  std::array<std::byte, kLogMarkPlaceBytes> out;
  StoreLittle(out.data(), sequence);
  StoreLittle(out.data() + 8, ~sequence);
  return out;
}

}  // namespace kvfs::format
