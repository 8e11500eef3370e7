// The versions of the FUSE protocol that the kernel and libfuse support. On a mount both use the
// older one.
//
// The kernel reveals its version only on a mount: so a separate process, in its own mount
// namespace, makes a dummy mount, reads the kernel's first message and exits. Users other than root
// need a user namespace for that, where allowed. libfuse only prints its version, and does so in
// that process.
#pragma once

#include <string>

namespace kvfs::fs {

struct FuseProtocol {
  std::string kernel;   // "7.45"; empty if unknown
  std::string libfuse;  // "7.38"
};

// Forks: call it before any thread is started.
FuseProtocol AskFuseProtocol();

}  // namespace kvfs::fs
