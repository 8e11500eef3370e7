// The blocks of one shard, in its mapped values file: 4 KiB pieces of contents too large for a
// leaf, and of the allocation maps. A block has no header; its checksum is kept in the pointers to
// it.
//
// In a read-only store (OpenOptions::read_only) the file is not changed: blocks that the replay of
// the log writes are kept in memory. So are blocks that could not be written after their change had
// been decided; if the disk was full, the next Sync writes them.
//
// Blocks that a replay finds are in the system's cache, but not necessarily on disk: a writeback
// may have failed and left the pages marked clean. The first sync writes these blocks again.
//
// Threads: reads are safe from many threads; so are writes of blocks that no other thread reads or
// writes.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
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

  // Copies a part of the block, after checking the whole block; holes and unwritten blocks read as
  // zeros. kCorrupt if the block fails its checksum or the disk cannot deliver it; other codes mean
  // a failure of this process, and say nothing about the block.
  Result<void> Read(format::BlockPointer block, uint32_t offset, MutableBytes out) const {
    return ReadRow({&block, 1}, offset, out);
  }
  // The same for a part of several blocks, which RowLength must have found to be readable together;
  // `offset` counts from the beginning of the first block, and lies within it.
  Result<void> ReadRow(std::span<const format::BlockPointer> row, uint32_t offset,
                       MutableBytes out) const;
  // How many of the blocks, starting with the first, one ReadRow can read.
  size_t RowLength(std::span<const format::BlockPointer> blocks) const;
  // kCorrupt unless the block on disk matches the pointer.
  Result<void> Check(format::BlockPointer block) const;

  // Writes whole blocks to consecutive numbers, which must have been reserved.
  Result<void> Write(uint64_t first, Bytes data);
  // The same for blocks that are in use, or whose change has been decided. Readers see the new
  // bytes even after an error. Lack of space is not an error here: Sync reports it.
  Result<void> WriteOver(uint64_t first, Bytes data);
  // As Write, for blocks that a log record will name: SyncNamed makes them durable.
  Result<void> WriteNamed(uint64_t first, Bytes data);
  // kNoSpace on a disk that needs free space to overwrite data: nothing is lost, but nothing is
  // durable.
  Result<void> SyncNamed();
  Result<void> Sync();
  // Notes that a replayed log record names the block. For one thread, before the first sync.
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
  // Number of writes of named blocks, and how many of them are durable. INVARIANT: the second grows
  // only after the success of a sync that began after those writes.
  std::atomic<uint64_t> named_writes_ = 0;
  std::atomic<uint64_t> named_durable_ = 0;
  std::atomic<bool> has_kept_ = false;
  std::atomic<bool> has_replayed_ = false;
  mutable RankedMutex mutex_{LockRank::kBlocks};
  std::map<uint64_t, std::unique_ptr<Block>> kept_ KVFS_GUARDED_BY(mutex_);
  std::vector<Row> replayed_ KVFS_GUARDED_BY(mutex_);
};

}  // namespace kvfs
