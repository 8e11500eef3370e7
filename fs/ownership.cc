// The rules of inode_init_owner(), setattr_should_drop_sgid() and setattr_should_drop_suidgid() in
// Linux. /proc is read last: few files have any of the bits.
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

void DropPrivileges(Attributes& attributes, const Caller& caller) {
  if (attributes.IsDirectory()) return;
  attributes.mode &= ~uint32_t{S_ISUID};
  if ((attributes.mode & S_ISGID) == 0) return;
  const bool may_stay = (attributes.mode & S_IXGRP) == 0 && caller.MayLeaveSetgid(attributes.gid);
  if (!may_stay) attributes.mode &= ~uint32_t{S_ISGID};
}

void DropPrivilegesOfWritten(Attributes& attributes, const Caller& caller) {
  if ((attributes.mode & (S_ISUID | S_ISGID)) == 0 || caller.MayLeaveSetId()) return;
  DropPrivileges(attributes, caller);
}

}  // namespace kvfs::fs
