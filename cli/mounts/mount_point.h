// Checks that a store can be mounted on a directory.
#pragma once

#include <string>

#include "cli/base/command_result.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

// The resolved path of the mount point. kMountPointBad, with the reason, if it is missing, is not a
// directory, holds files (unless `nonempty`), is inside the store or contains it, or has a kvfs
// mount already. `store_path` must be resolved.
//
// A dead mount of the same store is removed first; `told` then receives a sentence about it.
CommandResult<std::string> PrepareMountPoint(const std::string& path, const std::string& store_path,
                                             bool nonempty, std::string& told);

// kMountPointBad if one of the two resolved paths is inside the other. Pure.
CommandResult<> CheckApart(const std::string& mount_point, const std::string& store_path);

}  // namespace kvfs::cli
