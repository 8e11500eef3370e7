// The records and blocks that one batch changes, invisible to others until Commit, and discarded as
// a whole without it.
//
// Threads: belongs to one call, which holds the locks of the shards that it uses exclusively.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "store/format/entry.h"
#include "store/shard/placement.h"
#include "store/shard/shard_set.h"

namespace kvfs {

// A record looked up before its shard's lock was taken.
struct PrefetchedRecord {
  Place place;
  // Valid while the shard has this state; null: not in memory.
  uint64_t shard_state = 0;
  const Memtable::Record* in_memory = nullptr;
  // Valid while the shard has this tree and the record is not in memory.
  const TreeVersion* tree = nullptr;
  std::optional<Result<format::LeafRecord>> on_disk;
};

class Transaction {
 public:
  // All must outlive the transaction. Versions up to `keep` may be needed by snapshots.
  Transaction(const Shards& shards, const ExclusiveLocks& locks, uint64_t keep)
      : shards_(shards), locks_(locks), keep_(keep) {}
  // Releases everything that was not committed.
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // --- what else is needed ---

  // kRetry, with a note in missing_locks(), unless the shard's lock is held.
  Result<void> NeedShard(uint32_t shard);
  const ShardSet& missing_locks() const { return missing_locks_; }
  // Blocks that were not preallocated, by shard: the caller must preallocate them after kRetry.
  const std::map<uint32_t, uint64_t>& missing_blocks() const { return missing_blocks_; }

  // --- records ---

  // Sets lookups that may save Find a search; they must outlive the transaction.
  void SetLooks(std::span<const PrefetchedRecord> looks) { looks_ = looks; }

  struct Found {
    Bytes value;  // valid until the record is changed here
    uint64_t version = 0;
  };
  // The record, with this transaction's changes; kNotFound.
  Result<Found> Find(uint32_t shard, const format::RecordKey& key) const;
  // The record without them.
  Result<Found> FindCommitted(uint32_t shard, const format::RecordKey& key) const;
  // The numbers in [from, end) of a directory's numbered records in the shard. Of the committed
  // records only the first `most` are considered.
  Result<std::vector<uint64_t>> NumbersOf(uint32_t shard, uint64_t directory, uint64_t from,
                                          uint64_t end, size_t most = SIZE_MAX) const;
  // `key.name` is borrowed until Commit.
  void Put(uint32_t shard, const format::RecordKey& key, std::vector<std::byte> value);
  void Erase(uint32_t shard, const format::RecordKey& key);
  // Notes that the erased records are all that the directory had in `row`'s range: a checkpoint
  // then drops whole pages, and makes new ones for the two ends only.
  void NoteRowErased(uint32_t shard, const ErasedRow& row) {
    shards_changed_[shard].rows.push_back(row);
  }
  void CountEntries(uint32_t shard, int change) { shards_changed_[shard].entries += change; }
  void CountOrphans(uint32_t shard, int change) { shards_changed_[shard].orphans += change; }
  // After a Commit that has thrown: makes its shards unreadable, as their state is undefined.
  void MarkTorn();
  // Notes that contents with this many bytes are orphaned, to be reclaimed.
  void NoteOrphaned(uint64_t bytes) { orphaned_bytes_ += bytes; }
  uint64_t orphaned_bytes() const { return orphaned_bytes_; }
  uint64_t TakeId(uint32_t shard);
  void NoteId(uint32_t shard, uint64_t id);

  // --- blocks of one shard ---

  // Announces that `count` blocks will be needed; they are consecutive if possible. kRetry if fewer
  // are preallocated.
  Result<void> WantBlocks(uint32_t shard, uint64_t count);
  // A new block with these bytes.
  Result<format::BlockPointer> NewBlock(uint32_t shard, Bytes whole);
  // A new, allocated block that reads as zeros.
  Result<format::BlockPointer> NewUnwritten(uint32_t shard);
  // The block with a part of it replaced. kCorrupt if it is damaged.
  Result<format::BlockPointer> ChangeBlock(uint32_t shard, format::BlockPointer block,
                                           uint32_t offset, Bytes data);
  Result<void> ReadBlock(uint32_t shard, format::BlockPointer block, uint32_t offset,
                         MutableBytes out) const;
  void FreeBlock(uint32_t shard, format::BlockPointer block);
  uint64_t FreedBlocks(uint32_t shard) const;

  // --- the end ---

  struct Size {
    uint32_t shard;
    uint64_t records = 0;
    uint64_t bytes = 0;
  };
  // What the transaction adds to each changed shard; of erased rows only the two ends count.
  std::vector<Size> Sizes() const;
  // Blocks that the transaction has pinned, and unpins if it is discarded.
  uint64_t PinnedBlocks(uint32_t shard) const;
  // Bytes of the blocks that the transaction allocates, and of those that it frees.
  uint64_t AllocatedBytes() const;
  uint64_t FreedBytes() const;
  // Writes the new blocks, which nothing refers to yet. Call it before the record is logged; if it
  // fails, nothing has changed.
  Result<void> WriteNewBlocks();
  // Makes the changes visible, as of `version`, and overwrites changed blocks. They are visible
  // even if these writes fail.
  Result<void> Commit(uint64_t version);

 private:
  using Block = std::array<std::byte, format::kBlockBytes>;
  struct Image {
    std::unique_ptr<Block> bytes;
    bool is_new;  // the block was allocated for it; otherwise it is overwritten
  };
  struct OwnRecord {
    uint32_t shard;
    format::RecordKey key;
    std::optional<std::vector<std::byte>> value;  // none: erased
  };
  struct ShardChanges {
    int64_t entries = 0;
    int64_t orphans = 0;
    uint64_t wanted = 0;               // blocks announced by WantBlocks
    Run ahead;                         // pinned, not yet used
    std::vector<Run> allocated;        // pinned, and used
    std::map<uint64_t, Image> images;  // blocks to be written
    std::vector<uint64_t> freed;
    std::vector<ErasedRow> rows;
  };

  OwnRecord* FindOwn(uint32_t shard, const format::RecordKey& key) const;
  void SetOwn(uint32_t shard, const format::RecordKey& key,
              std::optional<std::vector<std::byte>> value);
  Result<uint64_t> TakeNumber(uint32_t shard);
  static Result<void> WriteImages(Shard& shard, const ShardChanges& changes, bool new_ones);

  const Shards& shards_;
  const ExclusiveLocks& locks_;
  const uint64_t keep_;
  std::span<const PrefetchedRecord> looks_;
  mutable std::vector<OwnRecord> own_;
  std::unordered_multimap<uint64_t, size_t> own_by_position_;  // once there are many
  std::map<uint32_t, ShardChanges> shards_changed_;
  uint64_t orphaned_bytes_ = 0;
  ShardSet missing_locks_;
  std::map<uint32_t, uint64_t> missing_blocks_;
};

}  // namespace kvfs
