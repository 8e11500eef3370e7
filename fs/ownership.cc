// The rules of inode_init_owner() and should_remove_suid() in Linux.
#include "fs/ownership.h"

#include <sys/stat.h>

namespace kvfs::fs {

void TakeOwnership(Attributes& child, const Attributes& parent, const Caller& caller) {
  child.uid = caller.uid;
  child.gid = caller.gid;
  if ((parent.mode & S_ISGID) == 0) return;
  child.gid = parent.gid;
  if (child.IsDirectory()) child.mode |= S_ISGID;
}

void DropPrivileges(Attributes& attributes) {
  if (attributes.IsDirectory()) return;
  attributes.mode &= ~uint32_t{S_ISUID};
  if (attributes.mode & S_IXGRP) attributes.mode &= ~uint32_t{S_ISGID};
}

}  // namespace kvfs::fs
