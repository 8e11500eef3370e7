// The umask of this process, as in umask(2).
#pragma once

#include <cstdint>

namespace kvfs::cli {

// During the first call, files that other threads create are accessible to the owner only, as a
// store's files always are.
uint32_t OwnUmask();

}  // namespace kvfs::cli
