// Finds the leaves of a damaged tree, whether the branches above them can be read or not, and puts
// new branches above those that are sound: in memory, behind the end of the keys file.
//
// Which leaves belong to the tree the allocation map tells: a page that is used and is a sound leaf
// is part of it. Where the map cannot be read, the branches that can be read tell; and of the rest
// those that no other leaf overlaps, the newest first, since among them may be pages that have lost
// their use.
//
// Threads: one.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "store/engine/patched_file.h"
#include "store/shard/shard.h"

namespace kvfs {

struct SalvagedShard {
  format::ShardRoot root;
  // What cannot be read, in words.
  std::vector<std::string> losses;
  // Entries that lay on leaves which cannot be read, so far as their names can: (directory, name).
  std::vector<std::pair<uint64_t, std::string>> lost_entries;
};

// Of a shard whose checkpoint is `root`; null if no checkpoint can be read. Replaces files->keys by
// one that has the new branches. kIo if the disk does not even tell the files' sizes.
Result<SalvagedShard> SalvageTree(ShardFiles* files, const ShardConfig& config,
                                  const format::ShardRoot* root);

// Whether a sound page of the file was born after `epoch`. Reads the beginning of each.
Result<bool> HasNewerPage(const File& keys, const ShardConfig& config, uint64_t epoch);

}  // namespace kvfs
