// From the loaded library, which may differ from the one at compile time.
#include "fs/fuse/version.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

namespace kvfs::fs {

std::string LibfuseVersion() { return fuse_pkgversion(); }

}  // namespace kvfs::fs
