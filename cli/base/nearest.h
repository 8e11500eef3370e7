// Suggestions for mistyped words.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace kvfs::cli {

// The nearest of the `known` words within an edit distance of two from `word`; an insertion,
// deletion, substitution or transposition of letters counts as one. Nothing if there is none. Pure.
std::optional<std::string_view> NearestOf(std::string_view word,
                                          std::span<const std::string_view> known);

}  // namespace kvfs::cli
