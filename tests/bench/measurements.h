// Measurements as a run would have made them, for tests of what is said of them.
#pragma once

#include <vector>

#include "bench/summary.h"

namespace kvfs::bench {

inline constexpr DataSet kTestSet = {.entries = 1000, .value_bytes = 100};

// Took so long an operation, and left the store so large.
inline Measurement Measured(const char* engine, const char* workload, double microseconds,
                            uint64_t disk_bytes = 0, uint64_t written_bytes = 0) {
  return {.engine = engine,
          .workload = workload,
          .entries = kTestSet.entries,
          .value_bytes = kTestSet.value_bytes,
          .operations = 1000,
          .seconds = microseconds * 1000e-6,
          .disk_bytes = disk_bytes,
          .written_bytes = written_bytes};
}

}  // namespace kvfs::bench
