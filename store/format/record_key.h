// The key of a record in a shard's tree. Keys are ordered by directory, then position, then name.
// Pure.
//
// A record with a name belongs to an entry; its position is a hash of the name, computed and not
// stored. A record without a name is *numbered*: its position is an index.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

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

}  // namespace kvfs::format
