// Ending a mount from within the process that serves it, while it goes on serving.
#pragma once

#include <string>

#include "fs/fuse_agent.h"

namespace kvfs::fs {

// Writes dirty pages of mapped files, which come to the server as messages, and unmounts. Returns
// whether it is unmounted: not where files are open, or a working directory is, or no one is
// allowed to. Somebody else must be serving.
bool FlushAndUnmount(FuseAgent& agent, const std::string& mountpoint);

}  // namespace kvfs::fs
