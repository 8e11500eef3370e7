// Tells a later process which records this one had appended when it died (store/format/log_mark.h).
// A process's writes survive its crash, so if one of those records is unreadable, it is damaged.
// After a power failure the mark is not valid.
//
// A mark is optional: any failure with it leaves the log as if there were none.
//
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>

#include <kvfs/env.h>
#include "store/format/log_mark.h"

namespace kvfs {

class LogMarkFile {
 public:
  // Reads the mark at `path`; nothing if there is none, or it was written under another residence.
  static std::optional<format::LogMark> Read(Env& env, const std::string& path,
                                             const format::StoreId& store);

  // Begins the mark of a life, whose records follow `sequence`.
  void Begin(Env& env, const std::string& path, const format::StoreId& store, uint64_t life,
             uint64_t sequence);
  // Notes that the record has been appended. Costs a copy of some bytes into a mapping.
  void Set(uint64_t sequence);
  // Invalidates the mark, after a failure of the log.
  void Forget();

 private:
  std::unique_ptr<File> file_;  // null if there is no mark
};

}  // namespace kvfs
