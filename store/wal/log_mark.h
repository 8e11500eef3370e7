// Tells a later process which records this one had appended when it died (store/format/log_mark.h):
// what a process has written outlives it, so that one of those records which cannot be read is
// damaged. After the death of the machine nothing of the kind is known.
//
// A mark is a help and no more: what goes wrong with it leaves the log as if there were none.
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
  // What the file at `path` says; nothing if it is not there, or of another time or place.
  static std::optional<format::LogMark> Read(Env& env, const std::string& path,
                                             const format::StoreId& store);

  // Begins the mark of a life, whose records begin behind `sequence`.
  void Begin(Env& env, const std::string& path, const format::StoreId& store, uint64_t life,
             uint64_t sequence);
  // The record has been appended. A copy of some bytes into a mapping.
  void Set(uint64_t sequence);
  // Nothing is known any more: the log has failed.
  void Forget();

 private:
  std::unique_ptr<File> file_;  // null if there is no mark
};

}  // namespace kvfs
