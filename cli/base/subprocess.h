// Runs another program and waits for it.
#pragma once

#include <string>
#include <vector>

namespace kvfs::cli {

struct Subprocess {
  bool started = false;
  int exit_status = -1;  // as the program gave it; -1 if a signal ended it
  std::string messages;  // what it wrote to its standard streams, without the last newline
};

// `command[0]` is looked up in PATH.
Subprocess RunProgram(const std::vector<std::string>& command);

}  // namespace kvfs::cli
