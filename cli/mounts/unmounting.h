// Unmounts a mount, even if its daemon is dead or does not answer.
#pragma once

#include <string>

#include "cli/base/command_result.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

enum class Unmounting { kOnlyIfIdle, kLazily };
// Unmounts: with umount2 as root, through fusermount3 for others. kMountPointBad if it is busy,
// with the processes that use it, and then sets `is_busy`; or if it is not the caller's. kIoFailed
// if the daemon does not accept the pending writes within the wait limit.
CommandResult<> Detach(const std::string& mount_point, Unmounting how, bool* is_busy = nullptr);

// Aborts the connection between the kernel and the daemon: all pending and later calls fail.
// Unsynced writes to mappings are lost. Does not wait. kMountPointBad if the caller lacks
// permission, or the system does not support it.
CommandResult<> CutOff(const MountEntry& mount);

}  // namespace kvfs::cli
