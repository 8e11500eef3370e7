// The names that a path is made of; slashes in a row count as one, those at its ends not at all.
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
