// Computes the Damerau-Levenshtein distance row by row.

#include "cli/base/nearest.h"

#include <algorithm>
#include <vector>

namespace kvfs::cli {
namespace {

constexpr size_t kMostSlips = 2;
// A longer word is not a mistyped command.
constexpr size_t kLongestWord = 32;

size_t SlipsBetween(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t other = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({other, last[j] + 1, row[j - 1] + 1});
      const bool is_swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> NearestOf(std::string_view word,
                                          std::span<const std::string_view> known) {
  std::optional<std::string_view> nearest;
  // Two edits would leave nothing of a short word.
  size_t fewest = std::min(kMostSlips, word.size() / 2) + 1;
  // The first letter is mostly right: `umount` is as far from mount as from unmount.
  const auto begins_alike = [&](std::string_view name) { return name.front() == word.front(); };
  if (word.size() > kLongestWord) return nearest;
  for (const std::string_view name : known) {
    const size_t slips = SlipsBetween(word, name);
    const bool is_alike = nearest && begins_alike(name) && !begins_alike(*nearest);
    if (slips > fewest || (slips == fewest && !is_alike)) continue;
    fewest = slips;
    nearest = name;
  }
  return nearest;
}

}  // namespace kvfs::cli
