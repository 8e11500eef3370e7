// Who owns a new file: Linux's rules.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/attributes.h"

namespace kvfs::fs {

// On whose behalf a call is made: the owner of new files.
struct Caller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t umask = 0;    // permissions that new files shall not have
  uint32_t process = 0;  // of which /proc tells more, where that is needed; 0: none
  // Whether the kernel has told that changes of contents leave the bits (CAP_FSETID).
  std::optional<bool> has_fsetid = {};

  // Whether changes of contents leave the bits, as far as it is known: root's do.
  bool MayLeaveSetId() const;
  // Whether the caller may have files with setgid of that group. May ask /proc.
  bool MayLeaveSetgid(uint32_t group) const;
};

// Sets the owner of `child`, which is new in a directory with attributes `parent`: the caller, and
// the group of a setgid directory, whose setgid bit a new directory inherits.
void TakeOwnership(Attributes& child, const Attributes& parent, const Caller& caller);

}  // namespace kvfs::fs
