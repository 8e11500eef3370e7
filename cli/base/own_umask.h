// The permissions that new files of this process shall not have, as umask(2) has them.
#pragma once

#include <cstdint>

namespace kvfs::cli {

// While the first call is under way, files that other threads make are of the owner only, as a
// store's are anyway.
uint32_t OwnUmask();

}  // namespace kvfs::cli
