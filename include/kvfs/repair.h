// Repairing a damaged store: all of it that can be read goes into a new one, and what could not is
// told. The damaged one is not changed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <kvfs/env.h>
#include <kvfs/status.h>

namespace kvfs {

struct RepairProgress {
  uint64_t entries = 0;        // written so far
  uint64_t content_bytes = 0;  // of their contents, holes left out
};

struct RepairOptions {
  // What could not be read, one after another: an entry by name, or a part of one ("bytes 4096 to
  // 8191"), which then reads as zeros; or, where no names can be told, pages, and the keys that led
  // to them.
  std::function<void(const std::string& loss)> on_loss;
  // False ends the repair, with kRetry.
  std::function<bool(const RepairProgress&)> on_progress;
  // Each entry that was copied: the directory that it lies in, and its id. Whoever has a meaning
  // for directories can find those whose own entry is among the losses.
  std::function<void(uint64_t directory, uint64_t id)> on_entry;
};

struct RepairReport {
  uint64_t entries = 0;
  uint64_t content_bytes = 0;
  uint64_t losses = 0;
};

// Writes a new store at `to`, which must be absent or an empty directory. Entries keep their ids;
// versions begin anew. Of the log's tail it takes what a recovery would take. Where leaves can be
// read and what leads to them cannot, they are found; where no checkpoint can be read, all leaves
// are taken, and told so. Where the superblock is lost its copy serves, the file `identity`.
// kNotFound if there is no store at `from`, kInUse, kUnsupported as for Store::Open; kCorrupt if
// nothing tells what the store is: all copies of its identity are lost. Errors of writing the new
// store, kNoSpace among them, and an end by `on_progress` leave it with what it has got.
Result<RepairReport> RepairStore(Env& env, const std::string& from, const std::string& to,
                                 const RepairOptions& options = {});

}  // namespace kvfs
