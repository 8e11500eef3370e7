// Whether an output is a terminal, asked of nobody who may not answer.
#pragma once

namespace kvfs::cli {

// As isatty(3), which asks the daemon if the file is in a mount: only files below /dev are asked,
// and all if /proc does not tell where the file is.
bool IsTerminal(int file);

}  // namespace kvfs::cli
