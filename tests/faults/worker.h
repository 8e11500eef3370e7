// The operations that a process performs on a store with the library while calls fail: drawn from a
// seed, and logged line by line to standard output, so that the reader knows what was acknowledged
// when the process died.
//
//   put NAME VERSION | del NAME | sync | checkpoint | compact | get NAME     is begun
//   ok [VERSION]                                                             is done
//   error CODE MESSAGE                                                       has failed
#pragma once

#include <cstdint>
#include <string>

#include "tests/faults/expectation.h"

namespace kvfs::faults {

struct WorkerOptions {
  std::string store;
  uint64_t seed = 1;
  int operations = 100;
  bool ends_without_closing = false;
};

// Returns the process's exit status: 0, whatever has failed.
int RunWorker(const WorkerOptions& options);

// Applies a worker's output to the expectation. Returns the worker's error, or nothing. If
// `disk_failed`, damage found while reading is not an error.
std::string TakeReport(const std::string& lines, bool disk_failed, Expectation* expected);

}  // namespace kvfs::faults
