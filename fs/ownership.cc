// The rules of inode_init_owner() in Linux.
#include "fs/ownership.h"

#include <sys/stat.h>

#include "fs/process_rights.h"

namespace kvfs::fs {

bool Caller::MayLeaveSetId() const {
  if (has_fsetid) return *has_fsetid;
  return uid == 0 && (process == 0 || HasFsetid(process));
}

bool Caller::MayLeaveSetgid(uint32_t group) const {
  if (gid == group || (process != 0 && HasFurtherGroup(process, group))) return true;
  return MayLeaveSetId();
}

void TakeOwnership(Attributes& child, const Attributes& parent, const Caller& caller) {
  child.uid = caller.uid;
  child.gid = caller.gid;
  if ((parent.mode & S_ISGID) == 0) return;
  child.gid = parent.gid;
  if (child.IsDirectory()) child.mode |= S_ISGID;
}

}  // namespace kvfs::fs
