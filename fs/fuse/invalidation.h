// Invalidates what the kernel caches, after changes that it did not make.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <span>

#include "fs/path_operation.h"

namespace kvfs::fs {

// Returns once the kernel's caches are invalidated. For this the kernel takes locks that it also
// holds while it waits for a lookup: so never call it from a message handler, nor with a lock that
// a handler needs.
void InvalidateChanged(fuse_session* session, std::span<const ChangedName> changed);

}  // namespace kvfs::fs
