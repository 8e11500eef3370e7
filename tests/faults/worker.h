// What a process does to a store by the library while calls fail under it: drawn with a seed, told
// line by line on standard output, so that whoever reads them knows what was acknowledged when the
// process died.
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

// Carries what a worker told over into the expectation. What it did wrong, or nothing. Where
// `disk_failed`, damage of what was read is no fault.
std::string TakeReport(const std::string& lines, bool disk_failed, Expectation* expected);

}  // namespace kvfs::faults
