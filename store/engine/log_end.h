// Finds the end of the log of a store that was not closed: the first pass of a replay.
//
// The log ends at the first record that is missing, torn, or names a block with different content.
// Usually such a record was not yet durable when the power failed. But if another record proves
// that it was durable, or if only the process that appended it has crashed, and not the machine,
// the log is damaged.
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

  // kCorrupt if the log lacks a segment named by the checkpoint, or if a segment was truncated. If
  // the store is opened read-only, here and below, the damage is recorded instead, and the sound
  // part is read.
  Result<void> FindSegments();
  // Advances `end`, which must be the checkpoint's next sequence, to the sequence after the last
  // record to replay, and marks the blocks named by the records before it as used. kCorrupt if the
  // log is damaged at its end.
  Result<void> Find(uint64_t* end);

 private:
  EngineParts& parts() const { return *opening_.parts; }
  Result<bool> WasThere(uint64_t sequence);
  Result<void> RequireEndAt(uint64_t end);
  Result<void> NoteLogDamage(const std::string& what);
  Result<bool> MarkBlocks(uint64_t sequence, const std::vector<format::Change>& changes);
  Result<bool> HasItsBlocks(uint64_t sequence, const format::Change& change);

  Opening& opening_;
  uint64_t appended_ = 0;  // see RedoLog::Appended
  std::optional<uint64_t> proven_durable_;
};

}  // namespace kvfs
