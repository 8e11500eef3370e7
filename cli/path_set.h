// Paths, each by 128 bits of a hash: of a million levels one path is a megabyte, and all of them
// would be more than a machine has. Two of a billion paths have the same hash once in 10^20 sets.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

namespace kvfs::cli {

class PathSet {
 public:
  void Add(std::string_view path) { hashes_.insert(HashOf(path)); }
  bool Contains(std::string_view path) const { return hashes_.contains(HashOf(path)); }

 private:
  using Hash = std::pair<uint64_t, uint64_t>;

  static Hash HashOf(std::string_view path) {
    const XXH128_hash_t hash = XXH3_128bits(path.data(), path.size());
    return {hash.high64, hash.low64};
  }

  std::set<Hash> hashes_;
};

}  // namespace kvfs::cli
