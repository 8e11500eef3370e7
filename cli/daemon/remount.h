// `mount -o remount,...` of a store that is mounted: what the kernel alone can change.
#pragma once

#include <string>
#include <vector>

#include "cli/base/command_result.h"
#include "cli/mounts/mount_options.h"

namespace kvfs::cli {

// Gives the mount of kvfs at `mount_point` the options of `texts`, which are as those of
// ParseMountOptions. Of the kernel's flags those are set that a mount with these options would
// have; all else that they do not mention stays. kUsage for what only another mount can change;
// kMountPointBad if no kvfs is mounted there, or files are open for writing that is to end;
// kMountFailed without root's rights, or a daemon.
CommandResult<> Remount(const std::string& mount_point, const std::vector<std::string>& texts,
                        UnknownOptions unknown);

}  // namespace kvfs::cli
