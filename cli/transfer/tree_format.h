// Directory trees on disk.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// Reads everything in the directory, whose own attributes go to the root; or a single file.
// Symbolic links are not followed, mounts of other file systems are entered. Errors name the path.
Result<void> ReadTree(const std::string& path, EntrySink& sink);

// Writes into an existing, empty directory. Owners are set, and devices created, only as root;
// sockets are left out.
Result<std::unique_ptr<EntryWriter>> MakeTreeWriter(const std::string& path);

}  // namespace kvfs::cli
