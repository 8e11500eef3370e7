// The frame of every data command: find the store, open its keys, work, make it durable.
#pragma once

#include <functional>
#include <string>

#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

// `store` is the resolved path.
using KeysWork = std::function<CommandResult<>(Keys& keys, const std::string& store)>;

// How a command ends whose work has ended with `outcome`: lets go of the keys. kFlushFailed if what
// was done cannot be made durable, or if nobody knows what was done, since the daemon has died.
CommandResult<> FinishKeys(Keys& keys, KeysUse use, const std::string& store,
                           CommandResult<> outcome);

// Runs `work` with the keys of the store at `path`, for the command of that name. What the work
// changed is durable on the return, also when it failed half way: then its failure is returned.
CommandResult<> WithKeys(const std::string& path, std::string_view command, KeysUse use,
                         const KeysWork& work);

}  // namespace kvfs::cli
