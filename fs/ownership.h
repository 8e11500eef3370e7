// The owner of a new file: Linux's rules.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/attributes.h"

namespace kvfs::fs {

// The process on whose behalf a call is made: the owner of new files.
struct Caller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t umask = 0;    // permissions that new files shall not have
  uint32_t process = 0;  // of which /proc tells more, where that is needed; 0: none
  // Whether changes of contents keep the bits (CAP_FSETID), if the kernel has said so.
  std::optional<bool> has_fsetid = {};

  // Whether changes of contents keep the bits, as far as known: root's do.
  bool MayLeaveSetId() const;
  // Whether the caller may have setgid files of this group. May read /proc.
  bool MayLeaveSetgid(uint32_t group) const;
};

// Sets the owner and group of `child`, new in a directory with attributes `parent`: the caller's,
// or in a setgid directory its group; a new directory also inherits the setgid bit.
void TakeOwnership(Attributes& child, const Attributes& parent, const Caller& caller);

}  // namespace kvfs::fs
