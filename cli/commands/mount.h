// Mounting a store, for `kvfs mount` and for mount.kvfs.
#pragma once

#include <string>
#include <vector>

#include "cli/base/command_result.h"

namespace kvfs::cli {

struct MountArguments {
  std::string store;
  std::string mount_point;
  std::vector<std::string> options;  // the texts after -o
  std::string log_path;              // empty: the system's log
  bool foreground = false;           // stay in this process until the end
  bool create = false;               // make the store if there is none
  bool sloppy = false;               // pass over unknown options
};

// In the background: returns once the mount can be used, or why it cannot. In the foreground:
// returns once the store has been unmounted and closed. With the option remount: see Remount().
CommandResult<> Mount(const MountArguments& arguments);

}  // namespace kvfs::cli
