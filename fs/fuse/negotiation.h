// FUSE_INIT: what the kernel and the server agree on at the start.
#pragma once

#include "fs/fuse/context.h"

namespace kvfs::fs {

// libfuse's handler of it. `userdata` is the FuseContext.
void Negotiate(void* userdata, fuse_conn_info* connection);

}  // namespace kvfs::fs
