// The key of a record in a shard's tree. Keys are ordered by directory, then position, then name.
// Pure.
//
// A record with a name belongs to an entry; its position is a hash of the name, computed and not
// stored. A record without a name is *numbered*: its position is an index.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include <kvfs/bytes.h>
#include "store/format/checksum.h"

namespace kvfs::format {

struct RecordKey {
  uint64_t directory = 0;
  uint64_t position = 0;
  std::string_view name;

  std::strong_ordering operator<=>(const RecordKey& other) const {
    if (auto order = directory <=> other.directory; order != 0) return order;
    if (auto order = position <=> other.position; order != 0) return order;
    return name <=> other.name;
  }
  bool operator==(const RecordKey&) const = default;
};

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
