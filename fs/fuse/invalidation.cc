// A name that stands for something else goes from the kernel's names; of an inode whose content
// changed, attributes and pages go; and of each directory in which names changed.
//
// The kernel answers ENOENT for what it does not know, which is as good. A reply that was under way
// meanwhile is older than this, and the kernel knows: it has locked the directory for a lookup, and
// counts attributes' versions.
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
