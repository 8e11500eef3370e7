// Unmounting from within the process that serves the mount, while it goes on serving.
#pragma once

#include <string>

#include "fs/fuse/agent.h"

namespace kvfs::fs {

enum class Unmounted { kYes, kNo, kCancelled };
// Flushes dirty pages of mapped files, which reach the server as messages, and unmounts. kNo if
// files are open, a process works there, or permission is lacking. kCancelled once the descriptor
// `cancel` is readable: the agent may still be unmounting. Another thread must be serving.
Unmounted FlushAndUnmount(FuseAgent& agent, const std::string& mountpoint, int cancel);

}  // namespace kvfs::fs
