// Invalidates each name with another inode; attributes and pages of each inode whose content
// changed; and the same for each directory whose names changed.
//
// The kernel returns ENOENT for what it does not have cached, which is fine. It recognises a
// concurrent reply as older: it locks the directory during a lookup, and versions attributes.
#include "fs/fuse/invalidation.h"

#include <unordered_set>

namespace kvfs::fs {

void InvalidateChanged(fuse_session* session, std::span<const ChangedName> changed) {
  std::unordered_set<InodeNumber> inodes;
  for (const ChangedName& name : changed) {
    if (name.is_rebound) {
      fuse_lowlevel_notify_inval_entry(session, name.parent, name.name.c_str(), name.name.size());
      inodes.insert(name.parent);
    }
    if (name.inode != 0) inodes.insert(name.inode);
  }
  for (const InodeNumber inode : inodes) fuse_lowlevel_notify_inval_inode(session, inode, 0, 0);
}

}  // namespace kvfs::fs
