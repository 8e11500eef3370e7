// Ending a mount from within the process that serves it, while it goes on serving.
#pragma once

#include <string>

#include "fs/fuse/agent.h"

namespace kvfs::fs {

enum class Unmounted { kYes, kNo, kCancelled };
// Writes dirty pages of mapped files, which come to the server as messages, and unmounts. Not
// where files are open, or a working directory is, or no one is allowed to. kCancelled once
// `cancel` can be read: the agent may be at it still. Somebody else must be serving.
Unmounted FlushAndUnmount(FuseAgent& agent, const std::string& mountpoint, int cancel);

}  // namespace kvfs::fs
