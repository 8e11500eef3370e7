// How a step of the store asks its caller to provide something, such as another shard's lock or
// free blocks, and to try again.
#pragma once

#include <kvfs/status.h>

namespace kvfs {

// An error code for this alone. It never leaves the store, hence is none of the public ones.
inline constexpr ErrorCode kRetry{-1};

}  // namespace kvfs
