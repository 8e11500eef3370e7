// Finds the leaves of a damaged tree, whether or not the branches above them are readable, and puts
// new branches above the sound ones: in memory, after the end of the keys file.
//
// The allocation map tells which leaves belong to the tree: every sound leaf on a used page. If the
// map is unreadable, the readable branches tell; of the other leaves, which may include freed
// pages, those are taken that overlap no other one, the newest first.
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
  // Descriptions of what is unreadable.
  std::vector<std::string> losses;
  // Entries on unreadable leaves, as far as their names are readable: (directory, name).
  std::vector<std::pair<uint64_t, std::string>> lost_entries;
};

// Salvages a shard with the checkpoint `root`; null if no checkpoint is readable. Replaces
// files->keys by a file that has the new branches. kIo if not even the files' sizes can be read.
Result<SalvagedShard> SalvageTree(ShardFiles* files, const ShardConfig& config,
                                  const format::ShardRoot* root);

// Whether a sound page of the file was born after `epoch`. Reads the beginning of each page.
Result<bool> HasNewerPage(const File& keys, const ShardConfig& config, uint64_t epoch);

}  // namespace kvfs
