// Numbered paths of one tree. Each stores only its last name, and the number of its parent: with a
// million levels one path takes a megabyte, and all of them together would exceed any memory.
//
// Paths are identified by a 128-bit hash: among a billion paths, a collision occurs once in 10^20
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
  // Returns the number of the path; adds the path and its parents if they are new.
  size_t Add(std::string_view path);
  bool Contains(std::string_view path) const { return numbers_.contains(HashOf(path)); }
  // The path, as it was added.
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
