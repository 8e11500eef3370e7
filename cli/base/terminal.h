// Whether an output is a terminal, determined without waiting for a daemon.
#pragma once

namespace kvfs::cli {

// Like isatty(3), which would call the daemon for a file in a mount: so only files below /dev are
// tested, and all files if /proc does not show their path.
bool IsTerminal(int file);

}  // namespace kvfs::cli
