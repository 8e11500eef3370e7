// The run: every engine once for a workload, then the next workload; and all of that as often as
// asked. So what the machine does beside the benchmark meets all engines alike, and the repetitions
// of one lie far apart.
#pragma once

#include <functional>
#include <vector>

#include "bench/measurement.h"
#include "bench/options.h"
#include "bench/summary.h"

namespace kvfs::bench {

// One measurement to make.
struct Turn {
  DataSet data_set;
  uint64_t repetition = 0;
  std::string workload;
  std::string engine;
};

// All turns, in their order. Each repetition begins with another engine.
std::vector<Turn> Turns(const Options& options, const std::function<bool(const Turn&)>& can_run);

// Makes them; each measurement is handed to `done` at once. The stores lie in a new directory below
// options.directory, which is gone at the end.
void RunRounds(const Options& options, const std::function<void(const Measurement&)>& done);

}  // namespace kvfs::bench
