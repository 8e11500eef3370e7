// Opening a store: the newest checkpoint, then the log.
//
// Every record from the checkpoint on is replayed, in sequence, up to the first that is missing,
// torn, or names a block that is not as the record says: an exact prefix of what was acknowledged.
// This takes two passes. The first finds that end, and marks the blocks that records name as used,
// so that the second, which carries the changes out, cannot give their numbers to anything else.
//
// Then entries that must not outlive their process are erased, a new log segment is begun, and a
// checkpoint taken: from there on the old log is never looked at again. Until that checkpoint is
// durable nothing has changed on disk that the last one refers to, so a crash in between leads to
// the same recovery with the same result.
#pragma once

#include "store/engine.h"

namespace kvfs {

// Opens the store for `options`; the parts are complete, and the checkpointer's thread runs.
Result<std::unique_ptr<EngineParts>> Recover(Env& env, const std::string& path,
                                             OpenOptions options);

}  // namespace kvfs
