// The rules of setattr_should_drop_sgid() and setattr_should_drop_suidgid() in Linux. /proc is read
// last: few files have any of the bits.
#include "fs/set_id_bits.h"

#include <sys/stat.h>

namespace kvfs::fs {

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
