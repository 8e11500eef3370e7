// Messages about the control directory (fs/fuse/control_directory.h).
#pragma once

#include "fs/fuse/operations.h"

namespace kvfs::fs {

// Puts a look in front of each handler: what concerns the control directory is answered here, all
// else by the handler.
void AddControlOperations(const FuseChoices& choices, fuse_lowlevel_ops& operations);

}  // namespace kvfs::fs
