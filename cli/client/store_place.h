// Where a store is: the directory that a command's operand names, which may be a mount point.
#pragma once

#include <string>

#include "cli/base/command_result.h"

namespace kvfs::cli {

// The absolute path of the store's directory, which need not exist if it may be created. A store's
// mount point also names the store.
enum class IfMissing { kFail, kCreate };
CommandResult<std::string> ResolveStore(const std::string& path, IfMissing if_missing);

// kNoStore unless there is a store at the path; it may be damaged.
CommandResult<> RequireStore(const std::string& store_path);

// Creates a store with default parameters if there is none: nothing at the path, or an empty
// directory.
CommandResult<> CreateIfMissing(const std::string& store_path);

}  // namespace kvfs::cli
