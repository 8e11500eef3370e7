// Numbered paths of one tree. Each holds its last name only, and the number of the directory above:
// of a million levels one path is a megabyte, and all of them would be more than a machine has.
//
// A path is known again by 128 bits of a hash: two of a billion paths have the same once in 10^20
// tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvfs::cli {

class PathTable {
 public:
  // The number of the path, which gets one if it has none, as do the directories above it.
  size_t Add(std::string_view path);
  bool Contains(std::string_view path) const { return numbers_.contains(HashOf(path)); }
  // As it was added.
  std::string PathOf(size_t number) const;

 private:
  using Hash = std::pair<uint64_t, uint64_t>;
  struct Row {
    size_t above;  // kNone: `name` is the whole path
    std::string name;
  };
  static constexpr size_t kNone = SIZE_MAX;

  static Hash HashOf(std::string_view path);

  std::vector<Row> rows_;
  std::map<Hash, size_t> numbers_;
};

}  // namespace kvfs::cli
