// Opens a store: loads the newest checkpoint, then replays the log.
//
// The records after the checkpoint are replayed in sequence, up to the first that is missing, torn,
// or names a block that does not match its checksum. This yields an exact prefix of the
// acknowledged operations. There are two passes. The first finds the end, and marks the blocks
// named by records as used, so that the second, which applies the changes, cannot allocate their
// numbers for anything else.
//
// The changes go into the memtables, like new ones; no page is written, and few are read. So the
// time of an opening depends on the length of the log, not on the size of the store, and an
// interrupted opening is simply repeated by the next one. Afterwards a new log segment is begun; if
// the disk has no room for it, a checkpoint is taken, which frees the old segments.
//
// Nothing is appended to the log before that, so everything that changes the store (the preparation
// of a checkpoint, the erasure of transient entries) comes later.
#pragma once

#include "store/engine/engine.h"

namespace kvfs {

enum class RecoveryMode {
  kUsual,
  // Changes nothing, and skips damage wherever possible: see EngineParts::losses.
  kSalvage,
};

// Opens the store at `path`. If it is opened for writing, all parts are present, and the
// checkpointer's thread is running. On a disk too full for the replay the store is opened
// read-only: see EngineParts::no_room. Errors as for Store::Open.
Result<std::unique_ptr<EngineParts>> Recover(Env& env, const std::string& path, OpenOptions options,
                                             RecoveryMode mode = RecoveryMode::kUsual);

}  // namespace kvfs
