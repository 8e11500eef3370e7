// Which version of the FUSE protocol the kernel speaks, and which libfuse does. On a mount both
// speak the older one.
//
// The kernel tells its version only when something is mounted: so a process of its own, in a mount
// namespace of its own, mounts nothing on nothing, reads the kernel's first message and ends. Users
// other than root do that in a user namespace, where those are allowed. libfuse only prints its
// version, and does so in that process.
#pragma once

#include <string>

namespace kvfs::fs {

struct FuseProtocol {
  std::string kernel;   // "7.45"; empty where it cannot be asked
  std::string libfuse;  // "7.38"
};

// Starts a process: call it before there are threads.
FuseProtocol AskFuseProtocol();

}  // namespace kvfs::fs
