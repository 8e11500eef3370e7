// Handles messages for the control directory (fs/fuse/control_directory.h).
#pragma once

#include "fs/fuse/operations.h"

namespace kvfs::fs {

// Wraps each handler: messages for the control directory are answered here, all others by the
// handler.
void AddControlOperations(const MountOptions& options, fuse_lowlevel_ops& operations);

}  // namespace kvfs::fs
