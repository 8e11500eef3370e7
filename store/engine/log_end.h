// Where the log of a store that was not closed ends: the first pass of a replay.
//
// The end is the first record that is missing, torn, or names a block that is not as the record
// says. After a power cut that is what was never durable; but a record of which another one proves
// that it was durable, or which a process has appended that only died, cannot be missing: then the
// log is damaged.
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

  // kCorrupt where the log lacks a segment that the checkpoint names, or one has been cut short.
  // Of a store that is only read the damage is noted, here and below, and what is sound is read.
  Result<void> FindSegments();
  // `end` becomes the sequence after the last record to replay. Marks the blocks that these name as
  // used. kCorrupt if the log is damaged there.
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
