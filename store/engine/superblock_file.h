// The superblock's file: two copies of the identity and two of the newest checkpoint, of which
// either may be torn. docs/format.md describes its bytes, store/format/superblock.h encodes them.
#pragma once

#include <memory>
#include <string>

#include <kvfs/env.h>
#include "store/format/superblock.h"

namespace kvfs {

// kNotFound, with a message, if there is no store; kCorrupt if there is one without a superblock.
Result<std::unique_ptr<File>> OpenSuperblock(Env& env, const std::string& store, Access access);
// Reads either of its two copies.
Result<format::Identity> ReadIdentity(const File& superblock);
Result<void> WriteIdentity(File& superblock, const format::Identity& identity);
// Writes one slot and syncs it, then the other.
Result<void> WriteCheckpoint(File& superblock, const format::Identity& identity,
                             const format::Checkpoint& checkpoint);
// The newer of the two checkpoints; kCorrupt if neither is readable.
Result<format::Checkpoint> ReadCheckpoint(const File& superblock, const format::Identity& identity);

}  // namespace kvfs
