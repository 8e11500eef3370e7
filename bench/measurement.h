// What is asked of one process of the benchmark, and what it answers: one line of JSON each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bench/workload.h"

namespace kvfs::bench {

// One engine, one workload, once, in a directory that exists.
struct Job {
  std::string engine;
  std::string workload;
  std::string directory;
  uint64_t entries = 0;
  uint64_t value_bytes = 0;
  uint64_t operations = 0;
  bool real_time = false;
  uint64_t seed = 0;  // of the orders; the loaded entries are the same for all
};

struct Measurement {
  std::string engine;
  std::string workload;
  uint64_t entries = 0;
  uint64_t value_bytes = 0;
  uint64_t repetition = 0;
  // Why there are no figures; empty if there are.
  std::string failure = {};

  uint64_t operations = 0;
  double seconds = 0;           // of the counted operations, by the wall
  double cpu_seconds = 0;       // of all threads of the process meanwhile
  uint64_t disk_bytes = 0;      // that the closed store takes
  uint64_t written_bytes = 0;   // by the process, from its start until the store is closed
  uint64_t memory_bytes = 0;    // own memory at its peak, beyond what the driver has
  uint64_t resident_bytes = 0;  // the same with the mapped pages of files
};

std::string ToJson(const Job& job);
std::string ToJson(const Measurement& measurement);
// Nothing if the text is not such a line.
std::optional<Job> JobFrom(std::string_view json);
std::optional<Measurement> MeasurementFrom(std::string_view json);

}  // namespace kvfs::bench
