// The program as mount(8)'s helper for file systems of type kvfs, under the name mount.kvfs.
//
// mount calls it as `mount.kvfs SOURCE MOUNTPOINT [-f] [-n] [-s] [-v] [-N NAMESPACE] [-t TYPE] -o
// OPTIONS` and passes its exit code on: 1 usage or permission, 2 system error, 32 mount failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands/mount.h"

namespace kvfs::cli {

inline constexpr std::string_view kMountHelperName = "mount.kvfs";

struct HelperArguments {
  MountArguments mount;
  bool fake = false;  // -f: check everything, but do not mount
};

// kUsage for arguments that mount never passes. Pure.
CommandResult<HelperArguments> ParseHelperArguments(const std::vector<std::string>& arguments);

// Parses `kvfs STORE MOUNTPOINT -o ...`, as mount.fuse3 calls the program for the type fuse.kvfs.
// For root, mount.fuse3 adds dev and suid by itself; they are removed for a store that does not
// belong to root, since no user asked for them. `kvfs mount -o dev,suid` accepts them.
std::vector<std::string> AsMountFuseMeansIt(std::vector<std::string> arguments);

// Translates an exit code to mount(8)'s. Pure.
int MountExitCode(ExitCode code);

// Mounts, and returns the exit code for mount(8).
int RunMountHelper(const std::vector<std::string>& arguments);

}  // namespace kvfs::cli
