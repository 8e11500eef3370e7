// What /proc tells of a process, or a thread, that the kernel does not tell with its message.
//
// It is asked for where much depends on it, and seldom: it costs as much as some messages. Of one
// that has ended, or is not seen from here (another pid namespace, /proc mounted with hidepid), it
// tells nothing, and then nobody gets a right by it.
#pragma once

#include <cstdint>

namespace kvfs::fs {

// Whether `group` is among the further groups of the process.
bool HasFurtherGroup(uint32_t process, uint32_t group);

// Whether the process has CAP_FSETID in effect, in whatever user namespace: so it proves something
// only of who is root here.
bool HasFsetid(uint32_t process);

}  // namespace kvfs::fs
