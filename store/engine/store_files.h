// Names of the files in a store's directory, and their opening.
#pragma once

#include <string>

#include <kvfs/env.h>
#include "store/format/superblock.h"
#include "store/shard/shard.h"

namespace kvfs {

inline std::string SuperblockPath(const std::string& store) { return store + "/superblock"; }
inline std::string LockPath(const std::string& store) { return store + "/lock"; }
inline std::string LogPath(const std::string& store) { return store + "/log"; }
// The directory that the store's lies in.
std::string ParentPath(const std::string& path);
// Two digits, three from shard 100 on: `what` is "keys" or "values".
std::string ShardPath(const std::string& store, uint32_t shard, const std::string& what);

// What to do about a store that cannot be opened.
std::string RepairRemedy(const std::string& store);
// kNotFound, in words, if there is no store; kCorrupt if there is one that lacks it.
Result<std::unique_ptr<File>> OpenSuperblock(Env& env, const std::string& store, Access access);
// An empty file, whatever was there.
Result<std::unique_ptr<File>> CreateAnew(Env& env, const std::string& path);
// kCorrupt, with the remedy, where there is a store that lacks its superblock: nothing that a
// creation leaves behind has a log that was begun.
Result<void> RequireNeverOpened(Env& env, const std::string& store);
// It stands in two places: either of them will do.
Result<format::Identity> ReadIdentity(const File& superblock);
Result<void> WriteIdentity(File& superblock, const format::Identity& identity);
// Into one slot, durably, and then into the other.
Result<void> WriteCheckpoint(File& superblock, const format::Identity& identity,
                             const format::Checkpoint& checkpoint);
// The newer of the two checkpoints; kCorrupt if neither can be read.
Result<format::Checkpoint> ReadCheckpoint(const File& superblock, const format::Identity& identity);
Result<ShardFiles> OpenShardFiles(Env& env, const std::string& store, uint32_t shard,
                                  Access access);

}  // namespace kvfs
