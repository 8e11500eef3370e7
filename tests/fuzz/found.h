// Inputs found by fuzzing that broke a promise, each with the fault, as regression tests.
#pragma once

#include <string_view>
#include <vector>

#include "tests/fuzz/target.h"

namespace kvfs::fuzz {

std::vector<Input> FoundInputs(std::string_view target);

}  // namespace kvfs::fuzz
