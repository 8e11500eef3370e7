// Walks a store, or a directory of it, and passes each entry to a writer.
#pragma once

#include <cstdint>
#include <string>

#include "cli/base/progress.h"
#include "cli/client/key_walk.h"
#include "cli/client/keys.h"
#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// An entry that cannot be read or written is reported and left out, so that the others can be
// exported. Errors of the output or of the machine end the export.
class Exporter {
 public:
  Exporter(Keys& keys, EntryWriter& writer, Progress& progress)
      : keys_(keys), writer_(writer), progress_(progress) {}

  // Paths are relative to the exported directory; a single key is exported under its name.
  Result<void> Run(const std::string& top);

  uint64_t written() const { return written_; }
  // Whether a part of the store could not be read.
  bool is_damaged() const { return is_damaged_; }

 private:
  Result<Descent> Add(const WalkedKey& key, const std::string& path);
  void NoteDamage(const Error& error);

  Keys& keys_;
  EntryWriter& writer_;
  Progress& progress_;
  uint64_t written_ = 0;
  bool is_damaged_ = false;
};

}  // namespace kvfs::cli
