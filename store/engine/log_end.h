// Where the log of a store that was not closed ends: the first pass of a replay.
//
// The end is the first record that is missing, torn, or names a block with different content. After
// a power failure such a record was never durable. But a record cannot be missing if another record
// proves that it was durable, or if the process that appended it has died and the machine has not:
// then the log is damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/engine/opening.h"
#include "store/format/change.h"

namespace kvfs {

class LogEnd {
 public:
  // `opening` must outlive it; its log is open.
  explicit LogEnd(Opening* opening) : opening_(*opening) {}

  // kCorrupt if the log lacks a segment that the checkpoint names, or if one was cut short. For a
  // read-only store, here and below, the damage is recorded and the sound part is read.
  Result<void> FindSegments();
  // Sets `end` to the sequence after the last record to replay, and marks the blocks named by the
  // records before it as used. kCorrupt if the log is damaged there.
  Result<void> Find(uint64_t* end);

 private:
  EngineParts& parts() const { return *opening_.parts; }
  Result<bool> WasThere(uint64_t sequence);
  Result<void> RequireEndAt(uint64_t end);
  Result<void> NoteLogDamage(const std::string& what);
  Result<bool> MarkBlocks(uint64_t sequence, const std::vector<format::Change>& changes);
  Result<bool> HasItsBlocks(uint64_t sequence, const format::Change& change);

  Opening& opening_;
  uint64_t appended_ = 0;  // see WasThere
  std::optional<uint64_t> proven_durable_;
};

}  // namespace kvfs
