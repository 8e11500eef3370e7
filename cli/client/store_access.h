// Opens a store for a command, here or through its daemon: waits for processes that are about to
// release it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <kvfs/store.h>
#include "cli/base/command_result.h"
#include "cli/client/daemon_connection.h"
#include "cli/mounts/lock_file.h"

namespace kvfs::cli {

// Opens the store. Waits for a holder that will release it soon (see IsPassing), up to the limit of
// cli/base/waiting.h. Returns the store's own error.
Result<std::unique_ptr<Store>> OpenPatiently(const std::string& store_path,
                                             const OpenOptions& options);

// A command's access to a store: opened here, or through the daemon that serves it.
struct ReachedStore {
  std::unique_ptr<Store> store;
  std::optional<DaemonConnection> daemon;  // if `store` is null
};

// Opens the store, or connects to its daemon. Waits like OpenPatiently, and for a daemon that is
// starting.
CommandResult<ReachedStore> ReachStore(const std::string& store_path, const OpenOptions& options);

// Whether the process that holds the store will release it by itself: a command, or a daemon that
// has no mount, because it is starting, or is ending, or was just killed.
bool IsPassing(const std::string& store_path);

// Whether a daemon holds the store, according to its lock file.
bool IsServedByDaemon(const std::string& store_path);

// The mount point of the daemon that serves the store, if it is usable from here.
std::optional<std::string> FindLiveMount(const std::string& store_path);

}  // namespace kvfs::cli
