// Directory trees of the disk.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// All in the directory, and its own attributes for the root; or the one file. Symbolic links are
// not followed, other file systems are entered. Errors name the path.
Result<void> ReadTree(const std::string& path, EntrySink& sink);

// Writes into a directory that is there, and empty. Owners are set as root only; sockets are left
// out, and devices for others than root.
Result<std::unique_ptr<EntryWriter>> MakeTreeWriter(const std::string& path);

}  // namespace kvfs::cli
