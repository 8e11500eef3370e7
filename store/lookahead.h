// Looks the entries of a batch up before their shards are locked, so that a page that must come
// from the disk holds nobody up. Under the lock the looks are used as far as they still hold.
//
// Threads: belongs to one call of Store::Apply. It takes shards' locks for moments.
#pragma once

#include <span>
#include <vector>

#include "store/batch.h"
#include "store/placement.h"
#include "store/transaction.h"

namespace kvfs {

class Lookahead {
 public:
  Lookahead(const Shards& shards, const Placement& placement, const Batch& batch);

  // Those of operation `index`.
  std::span<const TreeLook> Of(size_t index) const {
    return std::span(looks_).subspan(begins_[index], begins_[index + 1] - begins_[index]);
  }

 private:
  void Look(const Shards& shards, const Placement& placement, Key key);

  std::vector<TreeLook> looks_;
  std::vector<size_t> begins_;
};

}  // namespace kvfs
