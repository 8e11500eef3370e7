// The hash of a name, which is its position in the order of its directory. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include <kvfs/bytes.h>
#include "store/format/checksum.h"

namespace kvfs::format {

// Computes the position of a name. A position has 63 bits, so that it is also a signed file offset.
struct NameHash {
  // Lower directory offsets have a meaning of their own.
  static constexpr uint64_t kFirstPosition = 16;

  uint64_t seed = 0;
  uint32_t drop_bits = 0;  // low bits to ignore; for tests only

  // The upper 63 bits of XXH3-64 of the name.
  uint64_t PositionOf(std::string_view name) const {
    const uint64_t hash = Checksum(AsBytes(name), seed) >> 1 >> drop_bits << drop_bits;
    return hash < kFirstPosition ? kFirstPosition : hash;
  }
};

}  // namespace kvfs::format
