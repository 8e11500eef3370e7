// Why a store could not be mounted, for the person who wanted it: what libfuse, fusermount3 and the
// kernel say, and what to do about it.
#pragma once

#include <string>

#include <kvfs/status.h>
#include "cli/base/command_result.h"
#include "cli/mounts/mount_options.h"

namespace kvfs::cli {

// Of what FuseServer::Mount met. Pure.
CommandError ExplainMountError(const std::string& store, const std::string& mount_point,
                               const MountChoices& choices, const Error& error);

}  // namespace kvfs::cli
