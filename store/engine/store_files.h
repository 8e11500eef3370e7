// Names of the files in a store's directory, and functions that open them.
#pragma once

#include <string>

#include <kvfs/env.h>
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
// Creates an empty file, replacing an old one.
Result<std::unique_ptr<File>> CreateAnew(Env& env, const std::string& path);
// kCorrupt, with advice, if there is a store without a superblock. A begun log tells it from the
// remains of a failed creation, which have none.
Result<void> RequireNeverOpened(Env& env, const std::string& store);
Result<ShardFiles> OpenShardFiles(Env& env, const std::string& store, uint32_t shard,
                                  Access access);

}  // namespace kvfs
