// Splits a path into its names; repeated slashes count as one, leading and trailing ones are
// ignored.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace kvfs::fs {

inline std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    if (!name.empty()) names.push_back(name);
    path.remove_prefix(std::min(name.size() + 1, path.size()));
  }
  return names;
}

}  // namespace kvfs::fs
