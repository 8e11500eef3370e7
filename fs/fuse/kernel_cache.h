// What the kernel remembers of names and attributes, and how it is made to forget; for contents and
// names that a command has changed see invalidation.h.
#pragma once

#include "fs/fuse/context.h"

namespace kvfs::fs {

// How long the kernel may remember names, absent names and attributes: ten years.
inline constexpr double kForeverSeconds = 315'360'000;

// Has the kernel ask for the inode's attributes when it needs them next. A kernel that leaves
// clearing the setuid bit to kvfs (FUSE_HANDLE_KILLPRIV_V2) goes on believing in the bit after a
// write; attributes alone go without a lock, so a handler may have them go.
inline void ForgetAttributes(const FuseContext& context, fuse_ino_t inode) {
  constexpr off_t kNoPages = -1;
  fuse_lowlevel_notify_inval_inode(context.session, inode, kNoPages, 0);
}

}  // namespace kvfs::fs
