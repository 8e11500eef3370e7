// Whose files are open: the part of a watch that keeps a mount's silent daemon from holding up the
// others. See cli/mounts/mount_watch.h.
//
// A process's descriptor table cannot be emptied from outside, nor released without closing its
// files, which may wait for the daemon. So a third process, the keeper, shares the child's table
// from the beginning (clone(2)), and only closes its files when it is told to. The watcher has a
// table of its own, from which it removes the mounts' files at the beginning, while the daemons
// answer: writing to them, or closing them at its exit, would wait for the daemons.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/mounts/watcher.h"

namespace kvfs::cli {

// Like fork, but shares the descriptor table, and the child has the caller's parent.
pid_t CloneBeside();

// The keeper's life. It is told by a byte in `told` to close all files but those in the mounts,
// whose closing may wait until the daemons continue; and by its end to exit.
[[noreturn]] void Keep(int told, WatchShared& shared, const std::vector<std::string>& mounts);

// In the watcher, which must not have the mounts' files open.
void LetGoOf(const std::vector<std::string>& mounts);

}  // namespace kvfs::cli
