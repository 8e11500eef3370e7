// What the kernel remembers, and must not any more, because it was changed beside it.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <span>

#include "fs/path_operation.h"

namespace kvfs::fs {

// Returns once the kernel has forgotten. The kernel takes locks for it that it also holds while it
// waits for a lookup: so never from a handler of a message, nor with a lock that one needs.
void InvalidateChanged(fuse_session* session, std::span<const ChangedName> changed);

}  // namespace kvfs::fs
