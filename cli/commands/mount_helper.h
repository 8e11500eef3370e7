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
  bool fake = false;  // -f: check everything, mount nothing
};

// kUsage for arguments that mount does not give. Pure.
CommandResult<HelperArguments> ParseHelperArguments(const std::vector<std::string>& arguments);

// The arguments of `kvfs STORE MOUNTPOINT -o ...`, which is how mount.fuse3 calls, for the type
// fuse.kvfs. For root it adds dev and suid by itself; of a store that does not belong to root they
// are left out, since nobody has asked for them. `kvfs mount -o dev,suid` asks.
std::vector<std::string> AsMountFuseMeansIt(std::vector<std::string> arguments);

// mount(8)'s code for an exit code of ours. Pure.
int MountExitCode(ExitCode code);

// Mounts, and returns the exit code for mount(8).
int RunMountHelper(const std::vector<std::string>& arguments);

}  // namespace kvfs::cli
