// Names of the files in a store's directory, and functions that open them.
#pragma once

#include <string>

#include <kvfs/env.h>
#include "store/format/superblock.h"
#include "store/shard/shard.h"

namespace kvfs {

inline std::string SuperblockPath(const std::string& store) { return store + "/superblock"; }
inline std::string LockPath(const std::string& store) { return store + "/lock"; }
inline std::string LogPath(const std::string& store) { return store + "/log"; }
// The directory that contains the store's directory.
std::string ParentPath(const std::string& path);
// `what` is "keys" or "values". The shard's number has two digits, three from 100 on.
std::string ShardPath(const std::string& store, uint32_t shard, const std::string& what);

// Advice for a store that cannot be opened.
std::string RepairRemedy(const std::string& store);
// kNotFound, with a message, if there is no store; kCorrupt if there is one without a superblock.
Result<std::unique_ptr<File>> OpenSuperblock(Env& env, const std::string& store, Access access);
// Creates an empty file, replacing an old one.
Result<std::unique_ptr<File>> CreateAnew(Env& env, const std::string& path);
// kCorrupt, with advice, if there is a store without a superblock. A begun log tells it from the
// remains of a failed creation, which have none.
Result<void> RequireNeverOpened(Env& env, const std::string& store);
// Reads either of its two copies.
Result<format::Identity> ReadIdentity(const File& superblock);
Result<void> WriteIdentity(File& superblock, const format::Identity& identity);
// Writes one slot and syncs it, then the other.
Result<void> WriteCheckpoint(File& superblock, const format::Identity& identity,
                             const format::Checkpoint& checkpoint);
// The newer of the two checkpoints; kCorrupt if neither is readable.
Result<format::Checkpoint> ReadCheckpoint(const File& superblock, const format::Identity& identity);
Result<ShardFiles> OpenShardFiles(Env& env, const std::string& store, uint32_t shard,
                                  Access access);

}  // namespace kvfs
