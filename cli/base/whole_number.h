// Checks of arguments that are numbers: the parser's own read whole ones as floating point, name
// bounds of 309 digits, and take "nan" for a number within all bounds.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace kvfs::cli {

// Digits alone, no sign, in the bounds.
CLI::Validator WholeNumber(uint64_t least, uint64_t most = std::numeric_limits<uint64_t>::max());

// A decimal number, with a point or without, in the bounds.
CLI::Validator Seconds(double least, double most);

}  // namespace kvfs::cli
