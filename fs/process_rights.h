// Rights of a process, or thread, that the kernel does not send with its message; read from /proc.
//
// Used rarely, where much depends on it: a query costs as much as several messages. For a process
// that has ended, or is invisible from here (another pid namespace, /proc mounted with hidepid),
// the result is false, so no right is granted.
#pragma once

#include <cstdint>

namespace kvfs::fs {

// Whether `group` is among the process's supplementary groups.
bool HasFurtherGroup(uint32_t process, uint32_t group);

// Whether CAP_FSETID is effective in the process, in its own user namespace: so it is conclusive
// only for this namespace's root.
bool HasFsetid(uint32_t process);

}  // namespace kvfs::fs
