// The process ends at once: threads of an engine may be at work, and their destructors must not
// run.
#include "bench/stop.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace kvfs::bench {

void Stop(const std::string& sentence) {
  fmt::print(stderr, "store_bench: {}\n", sentence);
  std::fflush(nullptr);
  ::_exit(1);
}

}  // namespace kvfs::bench
