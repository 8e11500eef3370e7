// Watching the mounts in which a command reads or writes files, so that a daemon which falls silent
// in the middle holds the command up no longer than the limit for waiting.
//
// A thread that waits for an answer which the daemon has begun to give cannot be ended, nor its
// process. So the command parts in two: a child goes on with the work, and the process that the
// caller waits for watches. It hands signals on, ends as the child ends, and asks the mounts'
// daemons some times a second whether they answer. Where one does not, within the limit, it kills
// the child, and has all closed that it has open, also where it cannot die yet: so the lock of its
// store is free, and nobody waits for the end of a pipe. Only files in the mount stay open, until
// its daemon goes on.
//
// To be called before there are threads, and before a store is opened. A command whose files lie in
// no mount of the program stays one process.
#pragma once

#include <string>

#include <kvfs/status.h>

namespace kvfs::cli {

// From here on watches the mounts of the program that the path leads into, or that lie below it.
// Returns in the child at once; in the other process only with kIo, once a daemon was waited for as
// long as may be, and the child is no more. The path is one that ResolvePlace has returned.
Result<void> WatchPlace(const std::string& path);
// The same for the mounts that standard input, output and error lead into.
Result<void> WatchStreams();

// Has this process watch nothing: for one that becomes a daemon.
void ForgoWatching();

}  // namespace kvfs::cli
