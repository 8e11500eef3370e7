// Functions used by all targets.
#include "tests/fuzz/target.h"

#include <cstdio>
#include <cstdlib>

namespace kvfs::fuzz {

void Require(bool holds, std::string_view promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

Input Resized(Bytes input, size_t size) {
  Input out(input.begin(), input.end());
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

}  // namespace kvfs::fuzz
