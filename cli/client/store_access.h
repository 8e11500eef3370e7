// Opening a store from the command line: in words a person can act on, and with patience for
// holders that are about to let go.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <kvfs/store.h>
#include "cli/base/command_result.h"
#include "cli/client/rpc_client.h"
#include "cli/mounts/lock_file.h"

namespace kvfs::cli {

// The absolute path of the store's directory, which need not exist yet if it may be created. The
// place where a store is mounted is a name of it, too.
enum class IfMissing { kFail, kCreate };
CommandResult<std::string> ResolveStore(const std::string& path, IfMissing if_missing);

// kNoStore unless there is a store at the path, which may be damaged.
CommandResult<> RequireStore(const std::string& store_path);

// Creates a store with default parameters where there is none: nothing at the path, or an empty
// directory.
CommandResult<> CreateIfMissing(const std::string& store_path);

// Opens the store. A holder that is passing (see IsPassing) is waited for, up to the limit of
// cli/base/waiting.h. The error is the store's own.
Result<std::unique_ptr<Store>> OpenPatiently(const std::string& store_path,
                                             const OpenOptions& options);

// A store as a command gets to it: opened here, or through the daemon that serves it.
struct ReachedStore {
  std::unique_ptr<Store> store;
  std::optional<DaemonConnection> daemon;  // if there is no `store`
};
// Opens the store, or finds its daemon. Waits, as OpenPatiently does, for whoever is passing, and
// for a daemon that is just beginning.
CommandResult<ReachedStore> ReachStore(const std::string& store_path, const OpenOptions& options);

// Whether the process that holds the store will let go by itself: a command, or a daemon whose
// mount is not there, because it is ending or was killed a moment ago, or not there yet.
bool IsPassing(const std::string& store_path);

// Whether a daemon has the store, as far as its lock tells.
bool IsServedByDaemon(const std::string& store_path);

// The mount point of the daemon that serves the store, if it can be used from here.
std::optional<std::string> FindLiveMount(const std::string& store_path);

// Puts an error of Open or Create into words.
CommandError ExplainStoreError(const std::string& store_path, const Error& error);

}  // namespace kvfs::cli
