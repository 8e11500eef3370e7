// Watches the mounts in which a command reads or writes files, so that a daemon that stops
// answering cannot block the command for longer than the wait limit.
//
// A thread that waits for a reply which the daemon has begun to process cannot be ended, nor can
// its process. So the command splits: a child does the work, and the process that the caller waits
// for watches. The watcher forwards signals, exits when the child exits, and several times a second
// checks whether the mounts' daemons answer. If one does not within the limit, it kills the child,
// and has the child's files closed even if the child cannot die yet: so the lock of its store is
// released, and no reader waits for the end of a pipe. Only files in the mount stay open, until its
// daemon continues.
//
// Call it before any thread is started, and before a store is opened. A command without files in a
// kvfs mount stays a single process.
#pragma once

#include <string>

#include <kvfs/status.h>

namespace kvfs::cli {

// From now on watches the kvfs mounts that contain the path, or are below it. Returns in the child
// at once; in the watcher only with kIo, when the wait limit for a daemon has passed and the child
// has been given up. The path must be a result of ResolvePlace.
Result<void> WatchPlace(const std::string& path);
// The same for the mounts that contain standard input, output and error.
Result<void> WatchStreams();

// Makes this process watch nothing: for one that becomes a daemon.
void ForgoWatching();

}  // namespace kvfs::cli
