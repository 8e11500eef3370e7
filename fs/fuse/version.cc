// Asked of the library, which need not be the one that was compiled against.
#include "fs/fuse/version.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

namespace kvfs::fs {

std::string LibfuseVersion() { return fuse_pkgversion(); }

}  // namespace kvfs::fs
