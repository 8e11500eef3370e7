// The second pass of a replay: applies the log's changes to the memtables, like new changes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "store/engine/opening.h"
#include "store/format/change.h"
#include "store/format/log_segment.h"
#include "store/txn/change_applier.h"

namespace kvfs {

using RecordVisit =
    std::function<Result<bool>(const format::LogRecord&, const std::vector<format::Change>&)>;

// Calls `visit` for each record after the checkpoint, as RedoLog::Replay does, with its decoded
// changes.
Result<void> ForEachRecord(const Opening& opening, const RecordVisit& visit);

class LogReplay {
 public:
  // `opening` must outlive it. To be used after LogEnd::Find.
  explicit LogReplay(Opening* opening) : opening_(*opening) {}

  // Applies the records before sequence `end`. An entry that cannot be changed because of damage is
  // reported as lost, so that damage in one place does not prevent opening the rest.
  Result<void> Until(uint64_t end);

 private:
  EngineParts& parts() const { return *opening_.parts; }
  Result<void> CarryOutIfSound(const format::Change& change, uint64_t sequence,
                               const ExclusiveLocks& locks);
  Result<void> CarryOut(const format::Change& change, uint64_t sequence,
                        const ExclusiveLocks& locks,
                        Result<void> (ChangeApplier::*how)(const format::Change&, const Places&));

  Opening& opening_;
};

}  // namespace kvfs
