// Compares a allocation map on disk, as one checkpoint has left it, with what is really in use.
//
// Threads: one; the caller has a pin of the checkpoint's tree.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/alloc/block_file.h"
#include "store/alloc/check_session.h"
#include "store/format/superblock.h"

namespace kvfs {

class AllocatorChecker {
 public:
  // Of the map at `root`, of a file with `units` pages or blocks. All must outlive the checker.
  AllocatorChecker(const BlockFile* blocks, const format::MapRoot& root, std::string name,
                   uint64_t units, uint32_t unit_bytes, CheckSession* session)
      : blocks_(*blocks),
        root_(root),
        name_(std::move(name)),
        unit_bytes_(unit_bytes),
        session_(*session),
        used_(units) {}

  // Reads the map. `visit` is called for each block that it stands in, and tells whether that may
  // be read.
  using Visit = std::function<bool(format::BlockPointer)>;
  void Load(const Visit& visit);

  // By number, as the map says; what is damaged of it has none.
  const std::vector<bool>& used() const { return used_; }
  bool is_damaged() const { return is_damaged_; }

  // After Load. `used` is how many numbers the checkpoint says are in use. With gaps, what is
  // in use and was not reached may be below them.
  void Compare(const std::vector<bool>& reached, uint64_t used, bool has_gaps);

 private:
  void LoadNode(format::BlockPointer block, uint32_t level, uint64_t index, const Visit& visit);
  void LoadBitmap(Bytes bitmap, uint64_t index);

  const BlockFile& blocks_;
  const format::MapRoot root_;
  const std::string name_;
  const uint32_t unit_bytes_;
  CheckSession& session_;
  std::vector<bool> used_;  // by number, as the map says
  bool is_damaged_ = false;
};

}  // namespace kvfs
