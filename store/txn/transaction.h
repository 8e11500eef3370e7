// The records and blocks that one batch changes, seen by nobody else until Commit: what is computed
// here can be thrown away as a whole.
//
// Threads: belongs to one call; the caller holds the locks of the shards that it uses exclusively.
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

// A record that was looked up before its shard's lock was taken.
struct PrefetchedRecord {
  format::RecordKey key;
  // Holds as long as the shard has this state; null: not in memory.
  uint64_t shard_state = 0;
  const Memtable::Record* in_memory = nullptr;
  // Holds as long as the shard has this tree and the record is not in memory.
  const TreeVersion* tree = nullptr;
  std::optional<Result<format::LeafRecord>> on_disk;
};

class Transaction {
 public:
  // All must outlive the transaction. Versions up to `keep` may be needed by snapshots.
  Transaction(const Shards& shards, const ExclusiveLocks& locks, uint64_t keep)
      : shards_(shards), locks_(locks), keep_(keep) {}
  // Gives back what was not committed.
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // --- what else is needed ---

  // kRetry, and a note, unless the shard's lock is held.
  Result<void> NeedShard(uint32_t shard);
  const ShardSet& missing_locks() const { return missing_locks_; }
  // Blocks that were not ready, by shard: after kRetry they are to be reserved.
  const std::map<uint32_t, uint64_t>& missing_blocks() const { return missing_blocks_; }

  // --- records ---

  // A look that may spare Find a search; it must outlive the transaction.
  void SetLooks(std::span<const PrefetchedRecord> looks) { looks_ = looks; }

  struct Found {
    Bytes value;  // valid until the record is changed here
    uint64_t version = 0;
  };
  // The record with the changes made here; kNotFound.
  Result<Found> Find(uint32_t shard, const format::RecordKey& key) const;
  // The same without them.
  Result<Found> FindCommitted(uint32_t shard, const format::RecordKey& key) const;
  // The numbered records of a directory in the shard, from `from` on and below `end`, so far as
  // they are among the first `most` that were there before.
  Result<std::vector<uint64_t>> NumbersOf(uint32_t shard, uint64_t directory, uint64_t from,
                                          uint64_t end, size_t most = SIZE_MAX) const;
  // `key.name` is borrowed until Commit.
  void Put(uint32_t shard, const format::RecordKey& key, std::vector<std::byte> value);
  void Erase(uint32_t shard, const format::RecordKey& key);
  // So many of the records that were erased are all that the directory had in [begin, end): a
  // checkpoint drops whole pages then, and makes new ones for the two ends only.
  void NoteRowErased(uint32_t shard, const ErasedRow& row) {
    shards_changed_[shard].rows.push_back(row);
  }
  void CountEntries(uint32_t shard, int change) { shards_changed_[shard].entries += change; }
  void CountOrphans(uint32_t shard, int change) { shards_changed_[shard].orphans += change; }
  // After a Commit that has thrown: nobody may look at what it has left.
  void MarkTorn();
  // Contents of so many bytes are let go of, to be reclaimed.
  void NoteOrphaned(uint64_t bytes) { orphaned_bytes_ += bytes; }
  uint64_t orphaned_bytes() const { return orphaned_bytes_; }
  uint64_t TakeId(uint32_t shard) { return shards_[shard]->TakeId(); }
  void NoteId(uint32_t shard, uint64_t id) { shards_[shard]->NoteId(id); }

  // --- blocks of one shard ---

  // So many blocks are going to be asked for: they lie in a row where that can be. kRetry if there
  // are not as many.
  Result<void> WantBlocks(uint32_t shard, uint64_t count);
  // A block with these bytes.
  Result<format::BlockPointer> NewBlock(uint32_t shard, Bytes whole);
  // A block that reads as zeros, and has its place.
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
  // What is added to each shard that is changed; of rows that are erased their ends count.
  std::vector<Size> Sizes() const;
  // Blocks that the transaction holds, and gives back if it is thrown away.
  uint64_t HeldBlocks(uint32_t shard) const;
  // Bytes of the blocks that the transaction takes, and of those that it lets go of.
  uint64_t TakenBytes() const;
  uint64_t FreedBytes() const;
  // Writes the new blocks, which nothing refers to yet. To be called before the record is logged;
  // it may fail like any write, and nothing has happened.
  Result<void> WriteNewBlocks();
  // Lets everybody see the changes, as of `version`, and writes over fresh blocks. If the disk
  // fails with that, everybody sees them all the same.
  Result<void> Commit(uint64_t version);

 private:
  using Block = std::array<std::byte, format::kBlockBytes>;
  struct Image {
    std::unique_ptr<Block> bytes;
    bool is_new;  // the block was taken for it; otherwise it is written over
  };
  struct OwnRecord {
    uint32_t shard;
    format::RecordKey key;
    std::optional<std::vector<std::byte>> value;  // none: erased
  };
  struct ShardChanges {
    int64_t entries = 0;
    int64_t orphans = 0;
    uint64_t wanted = 0;               // blocks that are going to be asked for
    Run ahead;                         // held, not yet used
    std::vector<Run> taken;            // held, and used
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
