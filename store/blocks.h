// The blocks of one shard: 4 KiB pieces of contents too large for a leaf, in the values file.
//
// A block gets there in one of two ways. Whole blocks of a big write go to the file at once, and
// the log record names them. A part of a block changes in a buffer in memory, like a page in its
// frame: the record carries the bytes, and the checkpoint writes the buffer. Either way a block
// that a checkpoint or a record refers to is never written over.
//
// Threads: Read is safe while the shard's lock is held shared, and WriteNow always, on numbers that
// nobody else has. The rest needs the lock exclusive, but for WriteFrozen, which needs none.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/env/env.h"
#include "store/format/entry.h"
#include "store/space_map.h"

namespace kvfs {

class Blocks {
 public:
  // `file` and `space` must outlive the blocks.
  Blocks(File* file, SpaceMap* space, uint64_t checksum_seed, uint64_t open_epoch);

  // Copies a part of the block; kCorrupt if the block fails its checksum. A hole reads as zeros.
  Result<void> Read(format::BlockPointer block, uint32_t offset, MutableBytes out) const;
  // kCorrupt unless the block is as the pointer says.
  Result<void> Check(format::BlockPointer block) const;

  // Replaces a part of the block, or of a hole. May take one ready number of the space map. A block
  // that turns out to be damaged stays so: its new checksum is wrong on purpose.
  format::BlockPointer Modify(format::BlockPointer block, uint32_t offset, Bytes data);
  void Free(format::BlockPointer block);

  // Writes data, whole blocks, to numbers that SpaceMap::Hold gave.
  Result<std::vector<format::BlockPointer>> WriteNow(const std::vector<uint64_t>& numbers,
                                                     Bytes data);
  // Syncs the file if WriteNow has written since the last time.
  Result<void> SyncWritten();

  uint64_t dirty_bytes() const { return buffers_.size() * uint64_t{format::kBlockBytes}; }

  // As in Pages.
  void CloseEpoch();
  Result<void> WriteFrozen();
  void DropFrozen();

 private:
  struct Buffer {
    uint64_t epoch = 0;
    bool damaged = false;
    std::unique_ptr<std::byte[]> bytes;
  };

  Buffer& WritableBuffer(format::BlockPointer* block, bool replaced);

  File* file_;
  SpaceMap* space_;
  const uint64_t checksum_seed_;
  uint64_t open_epoch_;
  std::unordered_map<uint64_t, Buffer> buffers_;
  std::vector<std::pair<uint64_t, const std::byte*>> frozen_;
  std::atomic<bool> unsynced_ = false;
};

}  // namespace kvfs
