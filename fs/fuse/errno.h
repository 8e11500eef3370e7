// The one table from kvfs's error codes to the kernel's.
#pragma once

#include <kvfs/status.h>

namespace kvfs::fs {

// A positive errno value; docs/semantics.md lists them.
int ToErrno(ErrorCode code);

}  // namespace kvfs::fs
