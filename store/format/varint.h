// Integers in as few bytes as they need: seven bits a byte, the lowest first, and the high bit set
// in all bytes but the last (LEB128, as in DWARF and protocol buffers). Pure.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace kvfs::format {

inline constexpr size_t kMaxVarintBytes = 10;

inline size_t VarintBytes(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Writes `value`, and returns the end of its bytes.
inline std::byte* PutVarint(std::byte* at, uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<std::byte>(value);
  return at;
}

// Reads the integer at `at`, and returns the end of its bytes; null if it is not complete before
// `end`, or exceeds 64 bits.
inline const std::byte* GetVarint(const std::byte* at, const std::byte* end, uint64_t* value) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
    const auto byte = static_cast<uint64_t>(*at++);
    if (shift == 63 && byte > 1) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return at;
    }
  }
  return nullptr;
}

}  // namespace kvfs::format
