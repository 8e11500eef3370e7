// What makes a directory fit to mount a store on.
#pragma once

#include <string>

#include "cli/base/command_result.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

// The resolved path of a directory that a store may be mounted on. kMountPointBad, with the reason,
// where it is missing or no directory, holds files (unless `nonempty`), lies in the store or holds
// it, or has a kvfs mount already. `store_path` is resolved.
//
// A dead mount of the same store is taken away first; `told` then receives a sentence about it.
CommandResult<std::string> PrepareMountPoint(const std::string& path, const std::string& store_path,
                                             bool nonempty, std::string& told);

// kMountPointBad if one of the two resolved paths lies in the other. Pure.
CommandResult<> CheckApart(const std::string& mount_point, const std::string& store_path);

}  // namespace kvfs::cli
