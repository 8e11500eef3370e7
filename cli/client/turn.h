// Whose turn it is to open a store that nobody serves.
//
// Readers share a store's lock, and a stream of them would keep out for ever who wants to change
// it. So who waits to change a store holds the *turn*, a flock on its directory, and a reader that
// comes later passes only where nobody does. It is a courtesy between commands: what guards the
// store is its lock.
#pragma once

#include <string>

#include "cli/base/descriptor.h"

namespace kvfs::cli {

class Turn {
 public:
  explicit Turn(const std::string& store_path);

  // Whether a reader may go ahead.
  bool IsFree() const;
  // Takes it, if nobody else has it, until the Turn is destroyed.
  void Take();

 private:
  Descriptor directory_;  // none where it cannot be opened: then there are no turns
};

}  // namespace kvfs::cli
