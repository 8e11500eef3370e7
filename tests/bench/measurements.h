// Fabricated measurements, for tests of reports.
#pragma once

#include <vector>

#include "bench/summary.h"

namespace kvfs::bench {

inline constexpr DataSet kTestSet = {.entries = 1000, .value_bytes = 100};

// An operation took this long, and the store has this size afterwards.
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
