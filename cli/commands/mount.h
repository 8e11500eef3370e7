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
  std::string log_path;              // empty: syslog
  bool foreground = false;           // stay in this process until unmounted
  bool create = false;               // create the store if there is none
  bool sloppy = false;               // ignore unknown options
};

// The absolute paths of the store's directory and of its mount point.
struct MountPlaces {
  std::string store;
  std::string mount_point;
};

// In the background: returns once the mount is usable, or with the reason of the failure. In the
// foreground: returns once the store has been unmounted and closed. With the option remount: see
// Remount().
CommandResult<> Mount(const MountArguments& arguments);

}  // namespace kvfs::cli
