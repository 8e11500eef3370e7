// Repair of a damaged store: everything readable is copied into a new store, and losses are
// reported. The damaged store is not changed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <kvfs/env.h>
#include <kvfs/status.h>

namespace kvfs {

struct RepairProgress {
  uint64_t entries = 0;        // written so far
  uint64_t content_bytes = 0;  // of their contents, without holes
};

struct RepairOptions {
  // Called for each loss: an entry by name, or a part of one ("bytes 4096 to 8191"), which then
  // reads as zeros; or, where names are unknown, pages and the keys that led to them.
  std::function<void(const std::string& loss)> on_loss;
  // Returning false ends the repair with kCancelled.
  std::function<bool(const RepairProgress&)> on_progress;
  // Called for each copied entry, with its directory and its id. A caller that gives directories a
  // meaning can so find those whose own entry is lost.
  std::function<void(uint64_t directory, uint64_t id)> on_entry;
};

struct RepairReport {
  uint64_t entries = 0;
  uint64_t content_bytes = 0;
  uint64_t losses = 0;
};

// Writes a new store at `to`, which must be absent or an empty directory. Entries keep their ids;
// versions start anew. Of the log it replays as much as a recovery would. Readable leaves are found
// even where the branches above them are damaged; if no checkpoint can be read, all leaves are
// taken, and this is reported. If the superblock is lost, its copy in the file `identity` is used.
//
// kNotFound if there is no store at `from`; kInUse, kUnsupported as for Store::Open; kCorrupt if
// all copies of the store's identity are lost. Errors of writing the new store, such as kNoSpace,
// and an end by `on_progress` leave behind what has been copied so far.
Result<RepairReport> RepairStore(Env& env, const std::string& from, const std::string& to,
                                 const RepairOptions& options = {});

}  // namespace kvfs
