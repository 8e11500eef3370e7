// Runs the built program, and shell commands, and captures their output.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace kvfs::cli {

struct ProgramRun {
  int status = -1;  // exit code; 128 and the signal's number if one ended it
  std::string out;
  std::string err;
};

// Path of the built kvfs.
const std::string& ProgramPath();

// Runs kvfs with these arguments, with `input` as its standard input.
ProgramRun RunKvfs(std::vector<std::string> arguments, const std::string& input = {});
// The same under another name for argv[0].
ProgramRun RunKvfsAs(const std::string& name, std::vector<std::string> arguments);
// Runs a command line with sh.
ProgramRun RunShell(const std::string& command);

// Starts kvfs and does not wait for it.
pid_t StartKvfs(std::vector<std::string> arguments);
// Waits for a process that StartKvfs started; its status as in ProgramRun.
int AwaitExit(pid_t process);

}  // namespace kvfs::cli
