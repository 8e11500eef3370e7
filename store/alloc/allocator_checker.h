// Compares an allocation map on disk, as a checkpoint wrote it, with the pages or blocks actually
// in use.
//
// Threads: one; the caller holds a pin of the checkpoint's tree.
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
  // For the map at `root` of a file with `units` pages or blocks. All pointers must outlive the
  // checker.
  AllocatorChecker(const BlockFile* blocks, const format::MapRoot& root, std::string name,
                   uint64_t units, uint32_t unit_bytes, CheckSession* session)
      : blocks_(*blocks),
        root_(root),
        name_(std::move(name)),
        unit_bytes_(unit_bytes),
        session_(*session),
        used_(units) {}

  // Reads the map. Calls `visit` for each block of the map, and reads the block only if it returns
  // true.
  using Visit = std::function<bool(format::BlockPointer)>;
  void Load(const Visit& visit);

  // Whether the map marks each number as used; damaged parts of the map mark none.
  const std::vector<bool>& used() const { return used_; }
  bool is_damaged() const { return is_damaged_; }

  // After Load. `used` is the checkpoint's count of used numbers. `has_gaps` tells that parts of
  // the tree were unreadable: numbers that are used but were not reached may belong there.
  void Compare(const std::vector<bool>& reached, uint64_t used, bool has_gaps);

 private:
  void LoadNode(format::BlockPointer block, uint32_t level, uint64_t index, const Visit& visit);
  void LoadBitmap(Bytes bitmap, uint64_t index);

  const BlockFile& blocks_;
  const format::MapRoot root_;
  const std::string name_;
  const uint32_t unit_bytes_;
  CheckSession& session_;
  std::vector<bool> used_;  // by number, as marked by the map
  bool is_damaged_ = false;
};

}  // namespace kvfs
