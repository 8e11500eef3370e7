// Runs another program and waits for it.
#pragma once

#include <string>
#include <vector>

namespace kvfs::cli {

struct Subprocess {
  bool started = false;
  int exit_status = -1;  // the program's; -1 if a signal ended it
  std::string messages;  // its output on both standard streams, without the last newline
};

// `command[0]` is looked up in PATH.
Subprocess RunProgram(const std::vector<std::string>& command);

}  // namespace kvfs::cli
