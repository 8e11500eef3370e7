// Who owns a new file, and which changes take its setuid and setgid bits away: Linux's rules.
#pragma once

#include "fs/attributes.h"

namespace kvfs::fs {

// On whose behalf a call is made: the owner of new files.
struct Caller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t umask = 0;  // permissions that new files shall not have
};

// Sets the owner of `child`, which is new in a directory with attributes `parent`: the caller, and
// the group of a setgid directory, whose setgid bit a new directory inherits.
void TakeOwnership(Attributes& child, const Attributes& parent, const Caller& caller);

// Clears setuid, and setgid where it does not merely ask for mandatory locks (that is, where the
// group may execute). Directories keep both.
void DropPrivileges(Attributes& attributes);

}  // namespace kvfs::fs
