// `mount -o remount,...` of a mounted store: changes that the kernel alone can make.
#pragma once

#include <string>
#include <vector>

#include "cli/base/command_result.h"
#include "cli/mounts/mount_options.h"

namespace kvfs::cli {

// Applies the options in `texts` (see ParseMountOptions) to the kvfs mount at `mount_point`. The
// kernel's flags become those of a mount with these options; all other settings that they do not
// mention stay. kUsage for options that need a new mount; kMountPointBad if no kvfs is mounted
// there, or a change to read-only finds files open for writing; kMountFailed without root's rights,
// or without a daemon.
CommandResult<> Remount(const std::string& mount_point, const std::vector<std::string>& texts,
                        UnknownOptions unknown);

}  // namespace kvfs::cli
