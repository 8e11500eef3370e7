// Which changes take the setuid and setgid bits of a file away: Linux's rules.
#pragma once

#include "fs/attributes.h"
#include "fs/ownership.h"

namespace kvfs::fs {

// For a change of the owner: clears setuid, and setgid unless it merely asks for mandatory locks
// (the group may not execute) and the caller may leave it. Directories keep both.
void DropPrivileges(Attributes& attributes, const Caller& caller);
// For a change of the content: the same, unless the caller leaves the bits.
void DropPrivilegesOfWritten(Attributes& attributes, const Caller& caller);

}  // namespace kvfs::fs
