// The blocks of one shard, in its mapped values file: 4 KiB pieces of contents too large for a
// leaf, and of the space maps. A block is nothing but its bytes; whoever refers to it keeps the
// checksum.
//
// Of a store that is only read (OpenOptions::read_only) the file stays as it is: blocks that a
// replay of the log writes are kept in memory. So are those that the disk failed to write after all
// was decided.
//
// Threads: reading is safe from many, and so is writing, of blocks that nobody else reads or
// writes.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "store/env/env.h"
#include "store/format/entry.h"
#include "store/lock_rank.h"

namespace kvfs {

class BlockFile {
 public:
  // `file` must outlive this.
  BlockFile(File* file, uint64_t checksum_seed, bool read_only)
      : file_(file), checksum_seed_(checksum_seed), read_only_(read_only) {}

  uint64_t ChecksumOf(Bytes block) const;

  // Copies a part of the block, the whole of which is checked at every look; what has none reads as
  // zeros. kCorrupt if the block fails its checksum or cannot be had from the disk; other codes are
  // a failure of this process, and say nothing of the block.
  Result<void> Read(format::BlockPointer block, uint32_t offset, MutableBytes out) const {
    return ReadRow({&block, 1}, offset, out);
  }
  // The same for a part of blocks of which RowLength says that they lie together; `offset` is from
  // the begin of the first, and within it.
  Result<void> ReadRow(std::span<const format::BlockPointer> row, uint32_t offset,
                       MutableBytes out) const;
  // How many of the blocks, the first included, one ReadRow can get.
  size_t RowLength(std::span<const format::BlockPointer> blocks) const;
  // kCorrupt unless the block is on the disk as the pointer says.
  Result<void> Check(format::BlockPointer block) const;

  // Writes whole blocks to consecutive numbers, which have been reserved.
  Result<void> Write(uint64_t first, Bytes data);
  // The same over blocks that are in use. Readers see them, also when there is an error.
  Result<void> WriteOver(uint64_t first, Bytes data);
  // The same for blocks that a log record will name: SyncNamed makes them durable.
  Result<void> WriteNamed(uint64_t first, Bytes data);
  Result<void> SyncNamed();
  // Blocks that a process wrote that has died since may not be on the disk yet.
  void NoteUnsynced() { ++named_writes_; }
  Result<void> Sync();

  File& file() const { return *file_; }

 private:
  using Block = std::array<std::byte, format::kBlockBytes>;

  Result<const std::byte*> View(format::BlockPointer first, size_t count) const;
  Result<void> TryReadRow(std::span<const format::BlockPointer> row, uint32_t offset,
                          MutableBytes out) const;
  Result<void> CopyProven(format::BlockPointer block, const std::byte* from, uint32_t offset,
                          MutableBytes out) const;
  template <typename Look>
  Result<void> LookAgain(std::span<const format::BlockPointer> row, Look look) const;
  void Keep(uint64_t first, Bytes data);

  File* file_;
  const uint64_t checksum_seed_;
  const bool read_only_;
  // Writes of named blocks, and how many of them a sync has made durable. INVARIANT: the second
  // grows only after a sync that began behind the write has succeeded.
  std::atomic<uint64_t> named_writes_ = 0;
  std::atomic<uint64_t> named_durable_ = 0;
  std::atomic<bool> has_kept_ = false;
  mutable RankedMutex mutex_{LockRank::kBlocks};  // guards the following
  std::map<uint64_t, std::unique_ptr<Block>> kept_;
};

}  // namespace kvfs
