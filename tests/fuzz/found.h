// Inputs that fuzzing has found to break a promise, each with what was wrong. Kept, so that it does
// not come back.
#pragma once

#include <string_view>
#include <vector>

#include "tests/fuzz/target.h"

namespace kvfs::fuzz {

std::vector<Input> FoundInputs(std::string_view target);

}  // namespace kvfs::fuzz
