// Opening a store: the newest checkpoint, then the log.
//
// Every record from the checkpoint on is replayed, in sequence, up to the first that is missing,
// torn, or names a block that does not match its checksum: an exact prefix of what was
// acknowledged. This takes two passes. The first finds the end, and marks the blocks that records
// name as used, so that the second, which applies the changes, cannot allocate their numbers for
// anything else.
//
// The changes go into the memtables, as they did when they were new; no page is written, and few
// are read. So the time of an opening depends on the log, not on the size of the store, and an
// interrupted opening is simply repeated by the next one. A new log segment is begun after the old
// ones; if the disk has no room for it, a checkpoint is taken, which frees the old ones.
//
// Nothing is appended before that: everything that changes the store (the preparation of a
// checkpoint, the erasure of transient entries) comes after it.
#pragma once

#include "store/engine/engine.h"

namespace kvfs {

enum class RecoveryMode {
  kUsual,
  // Changes nothing, and skips damage wherever possible: see EngineParts::losses.
  kSalvage,
};

// Opens the store with `options`; the parts are complete, and the checkpointer's thread runs.
Result<std::unique_ptr<EngineParts>> Recover(Env& env, const std::string& path, OpenOptions options,
                                             RecoveryMode mode = RecoveryMode::kUsual);

}  // namespace kvfs
