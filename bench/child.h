// A process of its own for each measurement, so that memory and bytes written are one engine's, and
// the death of one engine does not end the run.
#pragma once

#include <string>
#include <vector>

namespace kvfs::bench {

struct ChildOutcome {
  std::string output;        // what it wrote to standard output
  std::string failure = {};  // how it ended, if not with status 0
};

// Starts this program again with the arguments, and waits for it. Standard error is shared.
ChildOutcome RunSelf(const std::vector<std::string>& arguments);

}  // namespace kvfs::bench
