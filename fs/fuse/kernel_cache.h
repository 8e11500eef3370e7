// How long the kernel caches names and attributes, and how cached attributes are invalidated. For
// contents and names changed by a command see invalidation.h.
#pragma once

#include "fs/fuse/context.h"

namespace kvfs::fs {

// How long the kernel may cache names, absent names and attributes: ten years.
inline constexpr double kForeverSeconds = 315'360'000;

// Invalidates the kernel's cached attributes of the inode. A kernel that leaves clearing the setuid
// bit to kvfs (FUSE_HANDLE_KILLPRIV_V2) still caches the bit after a write. Invalidating attributes
// alone takes no kernel lock, so a handler may do it.
inline void ForgetAttributes(const FuseContext& context, fuse_ino_t inode) {
  constexpr off_t kNoPages = -1;
  fuse_lowlevel_notify_inval_inode(context.session, inode, kNoPages, 0);
}

}  // namespace kvfs::fs
