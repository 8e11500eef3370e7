// Taking a mount away, also one whose daemon is dead or does not answer.
#pragma once

#include <string>

#include "cli/base/command_result.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

enum class Unmounting { kOnlyIfIdle, kLazily };
// Takes the mount away: as root with umount2, for others through fusermount3. kMountPointBad if it
// is busy, with those who hold it, and then sets `is_busy`; or if it is not the caller's. kIoFailed
// if its daemon does not take what there is to be written before, within the limit for waiting.
CommandResult<> Detach(const std::string& mount_point, Unmounting how, bool* is_busy = nullptr);

// Ends the connection between the kernel and the daemon: every call that waits for an answer fails,
// and so does each to come. What was written to mappings and not synced is lost. Waits for nobody.
// kMountPointBad if the caller may not, or the system has no way to do it.
CommandResult<> CutOff(const MountEntry& mount);

}  // namespace kvfs::cli
