// Fairness between commands that open a store without a daemon.
//
// Readers share a store's lock, so a stream of them would starve a writer. So a writer that waits
// holds the *turn*, a flock on the store's directory, and later readers go ahead only while nobody
// holds it. This is cooperation between commands: the store's lock protects the store.
#pragma once

#include <string>

#include "cli/base/descriptor.h"

namespace kvfs::cli {

class Turn {
 public:
  explicit Turn(const std::string& store_path);

  // Whether a reader may go ahead.
  bool IsFree() const;
  // Takes the turn, unless another process has it, until the Turn is destroyed.
  void Take();

 private:
  Descriptor directory_;  // none if it cannot be opened: then there are no turns
};

}  // namespace kvfs::cli
