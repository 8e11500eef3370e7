// The handlers of FUSE messages, by family, and the table of them for libfuse.
#pragma once

#include "fs/fuse/context.h"

namespace kvfs::fs {

// The table's `userdata` is a FuseContext.
fuse_lowlevel_ops MakeFuseOperations(const MountOptions& options);

void AddNameOperations(fuse_lowlevel_ops& operations);       // fs/fuse/names.cc
void AddAttributeOperations(fuse_lowlevel_ops& operations);  // fs/fuse/attributes.cc
void AddContentOperations(fuse_lowlevel_ops& operations);    // fs/fuse/contents.cc
void AddSpaceOperations(fuse_lowlevel_ops& operations);      // fs/fuse/space.cc
void AddXattrOperations(fuse_lowlevel_ops& operations);      // fs/fuse/xattrs.cc
void AddDirectoryOperations(fuse_lowlevel_ops& operations);  // fs/fuse/directories.cc

}  // namespace kvfs::fs
