// The blocks of one shard, in its mapped values file: 4 KiB pieces of contents too large for a
// leaf, and of the allocation maps. A block is nothing but its bytes; whoever refers to it keeps
// the checksum.
//
// Of a store that is only read (OpenOptions::read_only) the file stays as it is: blocks that a
// replay of the log writes are kept in memory. So are those that the disk failed to write after all
// was decided; if it was for want of room, they are written by the next Sync.
//
// What a replay has found is in the system's cache, but not for sure on the disk: a writeback may
// have failed, and the pages be marked clean since. The first sync writes those blocks again.
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
#include <vector>

#include <kvfs/env.h>
#include "store/base/lock_rank.h"
#include "store/format/entry.h"

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
  // The same over blocks that are in use, or of which all is decided. Readers see them, also when
  // there is an error. Want of room is none: Sync tells of it.
  Result<void> WriteOver(uint64_t first, Bytes data);
  // The same as Write for blocks that a log record will name: SyncNamed makes them durable.
  Result<void> WriteNamed(uint64_t first, Bytes data);
  // kNoSpace, on a disk that needs room to write over what is there: nothing is lost, but nothing
  // is durable.
  Result<void> SyncNamed();
  Result<void> Sync();
  // A replayed log record names the block. For one thread, before the first sync.
  void NoteReplayed(uint64_t block);

  File& file() const { return *file_; }

 private:
  using Block = std::array<std::byte, format::kBlockBytes>;
  struct Row {
    uint64_t first;
    uint64_t count;
  };

  Result<const std::byte*> View(format::BlockPointer first, size_t count) const;
  Result<void> TryReadRow(std::span<const format::BlockPointer> row, uint32_t offset,
                          MutableBytes out) const;
  Result<void> CopyProven(format::BlockPointer block, const std::byte* from, uint32_t offset,
                          MutableBytes out) const;
  template <typename Look>
  Result<void> LookAgain(std::span<const format::BlockPointer> row, Look look) const;
  void Keep(uint64_t first, Bytes data);
  Result<void> WriteKept();
  Result<void> RewriteReplayed();
  Result<void> Rewrite(uint64_t first, uint64_t count);
  Result<void> Flush();

  File* file_;
  const uint64_t checksum_seed_;
  const bool read_only_;
  // Writes of named blocks, and how many of them a sync has made durable. INVARIANT: the second
  // grows only after a sync that began behind the write has succeeded.
  std::atomic<uint64_t> named_writes_ = 0;
  std::atomic<uint64_t> named_durable_ = 0;
  std::atomic<bool> has_kept_ = false;
  std::atomic<bool> has_replayed_ = false;
  mutable RankedMutex mutex_{LockRank::kBlocks};  // guards the following
  std::map<uint64_t, std::unique_ptr<Block>> kept_;
  std::vector<Row> replayed_;
};

}  // namespace kvfs
