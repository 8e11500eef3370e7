// The state shared by the steps of an opening: the parts opened so far, and the checkpoint that the
// store continues from.
#pragma once

#include <memory>
#include <string>

#include "store/engine/engine.h"
#include "store/format/superblock.h"

namespace kvfs {

struct Opening {
  // Whether salvaging tolerates the error: only damage, not failures of this process.
  static bool IsDamage(const Error& error) {
    return error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kIo ||
           error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalid;
  }

  void Log(const std::string& line) const {
    if (parts->options.log) parts->options.log(line);
  }
  ShardConfig ConfigOf(uint32_t index) const {
    ShardConfig config;
    config.index = index;
    config.shards = parts->identity.shards;
    config.page_bytes = parts->identity.page_bytes;
    config.checksum_seed = parts->identity.ShardSeed(index);
    config.hash = parts->identity.NamesHash();
    config.read_only = access == Access::kReadOnly;
    config.log = parts->options.log;
    config.env = parts->env;
    return config;
  }

  Access access = Access::kReadOnly;
  bool salvages = false;  // tolerates damage, and records it in the parts' losses
  std::unique_ptr<EngineParts> parts = std::make_unique<EngineParts>();
  bool has_checkpoint = false;  // false: entries are salvaged from all pages
  format::Checkpoint checkpoint;
  bool closed = false;  // no log continues the checkpoint
};

}  // namespace kvfs
