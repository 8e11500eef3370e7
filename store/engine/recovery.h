// Opening a store: the newest checkpoint, then the log.
//
// Every record from the checkpoint on is replayed, in sequence, up to the first that is missing,
// torn, or names a block that is not as the record says: an exact prefix of what was acknowledged.
// This takes two passes. The first finds that end, and marks the blocks that records name as used,
// so that the second, which carries the changes out, cannot give their numbers to anything else.
//
// The changes go into the memtables, as they did when they were new; no page is written, and few
// are looked at. So an opening takes the time that the log takes, however large the store is, and
// if it is cut off, the next one does the same again. A new log segment is begun behind the old
// ones; where the disk has no room for it, a checkpoint is taken, after which there are no old
// ones.
//
// Nothing is appended before that: what changes the store (a checkpoint's preparation, the erasing
// of what is transient) comes after it.
#pragma once

#include "store/engine/engine.h"

namespace kvfs {

enum class RecoveryMode {
  kUsual,
  // Reads only, and passes over damage wherever it can: what it meets is in EngineParts::losses.
  kSalvage,
};

// Opens the store for `options`; the parts are complete, and the checkpointer's thread runs.
Result<std::unique_ptr<EngineParts>> Recover(Env& env, const std::string& path, OpenOptions options,
                                             RecoveryMode mode = RecoveryMode::kUsual);

}  // namespace kvfs
