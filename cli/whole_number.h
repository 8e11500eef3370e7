// A check of arguments that are whole numbers: the parser's own read them as floating point, and
// name bounds of 309 digits.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace kvfs::cli {

// Digits alone, no sign, in the bounds.
CLI::Validator WholeNumber(uint64_t least, uint64_t most = std::numeric_limits<uint64_t>::max());

}  // namespace kvfs::cli
