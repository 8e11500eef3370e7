// The changes that clear a file's setuid and setgid bits: Linux's rules.
#pragma once

#include "fs/attributes.h"
#include "fs/ownership.h"

namespace kvfs::fs {

// For a change of owner: clears setuid, and setgid unless it only means mandatory locking (the
// group may not execute) and the caller may keep it. Directories keep both.
void DropPrivileges(Attributes& attributes, const Caller& caller);
// For a change of content: the same, unless the caller's changes keep the bits.
void DropPrivilegesOfWritten(Attributes& attributes, const Caller& caller);

}  // namespace kvfs::fs
