// Serves an opened store at a mount point, until it is unmounted or told to stop, and closes it.
//
// Order of the start: signals blocked, store (its threads inherit the blocked signals), file
// system, mount, signal thread, service. The end undoes it from the back, and only a store that
// could be closed is released: a text that stays in the lock file tells `kvfs unmount` that
// something went wrong.
#pragma once

#include "cli/base/command_result.h"
#include "cli/commands/mount.h"
#include "cli/daemon/background.h"
#include "cli/daemon/log.h"
#include "cli/mounts/mount_options.h"

namespace kvfs::cli {

// Returns after the end of the mount. Calls `ready` when the mount is usable.
CommandResult<> ServeStore(const MountPlaces& places, const MountArguments& arguments,
                           const fs::MountOptions& options, const Log& log, const Ready& ready);

}  // namespace kvfs::cli
