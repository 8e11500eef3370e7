// The end of a daemon after its store has been unmounted: waiting for it, and what it means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/base/command_result.h"
#include "cli/client/daemon_process.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

// Waits until the daemon has written everything and ended, up to the limit of cli/base/waiting.h.
CommandResult<> AwaitEnd(const DaemonProcess& daemon, const MountEntry& mount);
// The same for a daemon that may not be found from here.
CommandResult<> AwaitEndOfAny(const std::optional<DaemonProcess>& daemon, const MountEntry& mount);

// The daemon has ended without closing the store.
CommandResult<> ExplainUncleanEnd(const DaemonProcess& daemon, const std::string& mount_point);
// Nothing records that the daemon ended properly, although it may have.
CommandResult<> ExplainUnknownEnd(const MountEntry& mount, std::string_view why);

}  // namespace kvfs::cli
