// Explains to the user why a store could not be mounted: the messages of libfuse, fusermount3 and
// the kernel, and what to do about it.
#pragma once

#include <string>

#include <kvfs/status.h>
#include "cli/base/command_result.h"
#include "fs/fuse/mount_options.h"

namespace kvfs::cli {

// `error` is that of FuseServer::Mount. Pure.
CommandError ExplainMountError(const std::string& store, const std::string& mount_point,
                               const fs::MountOptions& options, const Error& error);

}  // namespace kvfs::cli
