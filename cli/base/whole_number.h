// Validators for numeric arguments: the parser's own read integers as floating point, print bounds
// of 309 digits, and accept "nan" within all bounds.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace kvfs::cli {

// Digits only, without a sign, within the bounds.
CLI::Validator WholeNumber(uint64_t least, uint64_t most = std::numeric_limits<uint64_t>::max());

// A decimal number, with or without a point, within the bounds.
CLI::Validator Seconds(double least, double most);

}  // namespace kvfs::cli
