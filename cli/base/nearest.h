// What a person may have meant who mistyped a word.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace kvfs::cli {

// The one of `known` that two slips of the finger at most, a letter too many, missing, another or
// two of them the wrong way round, make into `word`; of several the nearest. Empty if there is
// none. Pure.
std::optional<std::string_view> NearestOf(std::string_view word,
                                          std::span<const std::string_view> known);

}  // namespace kvfs::cli
