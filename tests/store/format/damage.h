// All small damage of a range of bytes: each single bit flipped, each shorter length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <kvfs/bytes.h>

namespace kvfs::format {

// Calls `visit(damaged, bit)` once for each bit of `bytes`, with that bit flipped.
template <typename Visit>
void ForEachBitFlip(Bytes bytes, Visit visit) {
  std::vector<std::byte> damaged(bytes.begin(), bytes.end());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const std::byte mask{static_cast<uint8_t>(1u << bit % 8)};
    damaged[bit / 8] ^= mask;
    visit(Bytes(damaged), bit);
    damaged[bit / 8] ^= mask;
  }
}

// Calls `visit(cut)` for each shorter length. Each cut is a separate allocation, so that a
// sanitizer detects reads beyond its end.
template <typename Visit>
void ForEachTruncation(Bytes bytes, Visit visit) {
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    visit(Bytes(cut));
  }
}

}  // namespace kvfs::format
