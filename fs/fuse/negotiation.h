// FUSE_INIT: negotiates features with the kernel at the start.
#pragma once

#include "fs/fuse/context.h"

namespace kvfs::fs {

// The handler for libfuse. `userdata` is the FuseContext.
void Negotiate(void* userdata, fuse_conn_info* connection);

}  // namespace kvfs::fs
