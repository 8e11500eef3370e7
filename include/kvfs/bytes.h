// Byte ranges, and little-endian integers in them. Standard library only.
//
// Everything kvfs writes to disk is little-endian with fixed widths, and is read and written
// through Load and Store below, never by laying a struct over the bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace kvfs {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads the little-endian integer at `at`, which need not be aligned.
template <typename Integer>
requires std::is_unsigned_v<Integer> Integer LoadLittle(const std::byte* at) {
  static_assert(std::endian::native == std::endian::little, "a big-endian host needs byte swaps");
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename Integer>
requires std::is_unsigned_v<Integer>
void StoreLittle(std::byte* at, Integer value) { std::memcpy(at, &value, sizeof value); }

// An empty range may have a null pointer, which memcpy does not accept even for a length of 0.
inline void CopyBytes(std::byte* to, Bytes from) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace kvfs
