// The common frame of all data commands: find the store, open its keys, work, sync.
#pragma once

#include <functional>
#include <string>

#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

// `store` is the resolved path.
using KeysWork = std::function<CommandResult<>(Keys& keys, const std::string& store)>;

// Releases the keys, and returns the result of a command whose work returned `outcome`.
// kFlushFailed if changes cannot be made durable, or if their outcome is unknown because the daemon
// has died.
CommandResult<> FinishKeys(Keys& keys, KeysUse use, const std::string& store,
                           CommandResult<> outcome);

// Runs `work` with the keys of the store at `path`, for the command of that name. Its changes are
// durable on return, even if it failed half way: then its error is returned.
CommandResult<> WithKeys(const std::string& path, std::string_view command, KeysUse use,
                         const KeysWork& work);

}  // namespace kvfs::cli
