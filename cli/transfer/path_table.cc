// Nothing here is recursive, as a path may have more levels than fit on the stack.

#include "cli/transfer/path_table.h"

#include <xxhash.h>

#include <algorithm>

namespace kvfs::cli {

PathTable::Hash PathTable::HashOf(std::string_view path) {
  const XXH128_hash_t hash = XXH3_128bits(path.data(), path.size());
  return {hash.high64, hash.low64};
}

size_t PathTable::Add(std::string_view path) {
  // The beginnings of the unknown parts, the last one first.
  std::vector<size_t> begins;
  size_t above = kNone;
  for (size_t end = path.size();;) {
    const auto known = numbers_.find(HashOf(path.substr(0, end)));
    if (known != numbers_.end()) {
      above = known->second;
      break;
    }
    const size_t slash = end == 0 ? std::string_view::npos : path.rfind('/', end - 1);
    const bool is_whole = slash == std::string_view::npos || slash == 0;
    begins.push_back(is_whole ? 0 : slash + 1);
    if (is_whole) break;
    end = slash;
  }
  for (auto begin = begins.rbegin(); begin != begins.rend(); ++begin) {
    const size_t end = begin + 1 == begins.rend() ? path.size() : *(begin + 1) - 1;
    numbers_.emplace(HashOf(path.substr(0, end)), rows_.size());
    rows_.push_back({above, std::string(path.substr(*begin, end - *begin))});
    above = rows_.size() - 1;
  }
  return above;
}

std::string PathTable::PathOf(size_t number) const {
  std::vector<const std::string*> names;
  for (; number != kNone; number = rows_[number].above) names.push_back(&rows_[number].name);
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (name != names.rbegin()) path += '/';
    path += **name;
  }
  return path;
}

}  // namespace kvfs::cli
