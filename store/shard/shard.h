// One shard: a tree as the last checkpoint left it, what has changed since in memory, and the space
// of its two files.
//
//   active memtable   changes of the open epoch
//   closed memtable   those of the epoch whose checkpoint is under way, if one is
//   tree version      the last checkpoint's tree
//
// A record is what the first of the three says that knows it. Entries live in the shard that their
// name's hash picks. A content's blocks live in the entry's *owner shard*, the one where it was
// created, which its id tells (id mod number of shards): a move to another shard moves the entry
// only.
//
// Reading. Memtables are looked at under the lock, for moments; the tree without it, by who has a
// pin. A pin keeps the pages of its tree, and all blocks that lead from it, from being given out
// again.
//
// Threads: `mutex` guards what the memtables hold and which there are; see each method. Locks of
// several shards are taken in ascending order of their indexes.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include "store/alloc/block_allocator.h"
#include "store/alloc/block_file.h"
#include "store/base/lock_rank.h"
#include "store/btree/pages.h"
#include "store/btree/tree_writer.h"
#include "store/format/superblock.h"
#include "store/shard/memtable.h"

namespace kvfs {

// What a checkpoint is taken for.
enum class CheckpointPurpose {
  kContinue,  // the files keep room for the next epoch's changes
  kIdle,      // free space goes back to the disk
  kCompact,   // the same, and every page is written anew, as full as can be
  kClose,     // the last one: no log continues it
};

struct ShardFiles {
  std::unique_ptr<File> keys;
  std::unique_ptr<File> values;
  uint64_t keys_bytes = 0;  // their sizes at the opening
  uint64_t values_bytes = 0;
};

struct ShardConfig {
  uint32_t index = 0;
  uint32_t shards = 1;
  uint32_t page_bytes = 0;
  uint64_t checksum_seed = 0;
  format::NameHash hash;
  bool read_only = false;
  std::function<void(std::string_view)> log;
  const Env* env = nullptr;  // see PagesConfig
};

// A checkpoint's tree.
struct TreeVersion {
  Tree tree;
  uint64_t epoch;          // of the checkpoint
  format::ShardRoot root;  // what it says of the shard
};

// Numbered records of one directory that are erased together, and are all that it had in [begin,
// end).
struct ErasedRow {
  uint64_t directory = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t count = 0;

  // Those for which a checkpoint writes no page.
  uint64_t Inside() const { return count > 2 ? count - 2 : 0; }
};

// A shard as of one moment: keeps what it refers to.
struct ShardPin {
  std::shared_ptr<const Memtable> active;
  std::shared_ptr<const Memtable> closed;  // null if there was none
  std::shared_ptr<const TreeVersion> tree;

  // The newest version in memory that is not above `at`; null if the tree must be asked. Needs the
  // shard's lock shared.
  const Memtable::Record* FindInMemory(const format::RecordKey& key, uint64_t at) const {
    const Memtable::Record* record = active->Find(key, at);
    return record == nullptr && closed != nullptr ? closed->Find(key, at) : record;
  }
  // The same for the newest versions of up to Memtable::kMostKeys records.
  void FindEachInMemory(std::span<const format::RecordKey> keys,
                        std::span<const Memtable::Record*> found) const;
};

class Shard {
 public:
  // `epoch` is that of the checkpoint that `root` belongs to.
  Shard(ShardFiles files, const ShardConfig& config, const format::ShardRoot& root, uint64_t epoch);

  mutable RankedSharedMutex mutex;

  uint32_t inline_limit() const { return inline_limit_; }
  const Pages& pages() const { return pages_; }
  BlockFile& blocks() const { return blocks_; }
  BlockAllocator& page_allocator() const { return page_allocator_; }
  BlockAllocator& block_allocator() const { return block_allocator_; }

  // --- with the lock shared ---

  // The present state. A reference, and a copy to keep.
  const ShardPin& now() const { return now_; }
  ShardPin Pin() const { return now_; }
  // Another one after each change of what now() refers to or holds.
  uint64_t state() const { return state_; }

  // --- with the lock exclusive ---

  // See Memtable::Put.
  void Put(const format::RecordKey& key, uint64_t version, std::optional<Bytes> value,
           uint64_t keep) {
    ++state_;
    active_->Put(key, version, value, keep);
  }
  // An id whose content will live in this shard, never given before.
  uint64_t TakeId();
  // A replayed change used that id.
  void NoteId(uint64_t id);
  void CountEntries(int64_t change) { entries_ += static_cast<uint64_t>(change); }
  void CountOrphans(int64_t change) { orphaned_contents_ += static_cast<uint64_t>(change); }
  // Claims count the ends of such a row only; one that goes on where the last has ended has no
  // more.
  void NoteRowErased(const ErasedRow& row);
  // A block that was written in this epoch for a record that only the newest state has: it may be
  // written over, as no checkpoint and no log record tells of its bytes.
  void NoteFresh(uint64_t block, uint64_t version);
  // True if the block is fresh, and no snapshot up to `keep` can see it.
  bool IsFresh(uint64_t block, uint64_t keep) const;

  // Claims the pages and blocks that a checkpoint can need for all changes so far and so many
  // records more, whatever else happens to the disk; and some that are left to changes that give
  // space back, so that a full disk does not stop them. Return how many are to be made ready before
  // a change that grows, or one that does not, can be done; 0: they are.
  uint64_t ReservePages(uint64_t records, uint64_t record_bytes, bool grows);
  uint64_t ReserveBlocks(bool grows);

  // Without the lock: makes what is left to such changes ready. kNoSpace if the disk is full.
  Result<void> PreallocateSpare();

  // --- with the lock shared, or none for a rough answer ---

  uint64_t dirty_bytes() const { return dirty_bytes_.load(std::memory_order_relaxed); }
  void PublishDirty() { dirty_bytes_ = now_.active->bytes() + closed_bytes_; }
  uint64_t entries() const { return entries_; }
  uint64_t orphaned_contents() const { return orphaned_contents_; }
  // Of pages and blocks in use; what waits to be free is not.
  uint64_t UsedBytes() const {
    return page_allocator_.used() * config_.page_bytes +
           block_allocator_.used() * format::kBlockBytes;
  }
  // Of those that wait to be free.
  uint64_t WaitingBytes() const {
    return page_allocator_.waiting() * config_.page_bytes +
           block_allocator_.waiting() * format::kBlockBytes;
  }
  Result<uint64_t> FileBytes() const;
  Result<uint64_t> DiskBytes() const;
  // Pages of views that the disk failed to deliver: if it moves, what was read meanwhile is void.
  uint64_t ViewFaults() const { return files_.keys->ViewFaults(); }
  // A logged change was carried out in part only, for want of memory: what is in memory is neither
  // the state before it nor the one after it. With the lock exclusive.
  void MarkTorn() { is_torn_.store(true, std::memory_order_release); }
  // kUnavailable from then on. To be asked with the lock, shared or exclusive.
  Result<void> CheckWhole() const {
    if (!is_torn_.load(std::memory_order_acquire)) return {};
    return Fail(
        ErrorCode::kUnavailable,
        "a change was left half done in memory, for want of it; nothing is lost: reopen the "
        "store");
  }
  // A change or sync of a file has failed in a way that leaves in doubt what it holds.
  bool IsSuspect() const { return files_.keys->IsSuspect() || files_.values->IsSuspect(); }

  // --- the steps of a checkpoint, one after another (any other order ends the process) ---

  // With the lock exclusive: the active memtable is closed, and a new one opened. The one before
  // must have gone into a durable checkpoint.
  void CloseEpoch();
  bool has_closed() const { return now_.closed != nullptr; }
  // Without the lock: writes the tree of the closed epoch, and the allocation maps. kNoSpace
  // changes nothing, and may be repeated.
  Result<format::ShardRoot> WriteClosed(uint64_t epoch, bool rewrites_all);
  // Whether the last tree that was written whole has left damaged pages where they are.
  bool has_kept_damage() const { return has_kept_damage_; }
  Result<void> Sync();
  // Without the lock, which it takes: the checkpoint, written and synced here, is durable.
  void CheckpointDurable(uint64_t epoch);
  // Gives out again what no reader needs any more.
  void FreeUnread();
  // Gives free space back to the disk, but for what deletes may need when it is full.
  void Trim(CheckpointPurpose purpose);
  // Gives all of it back that is not claimed: another file may need it.
  void GiveBackPreallocated();

 private:
  static void TrimIdle(BlockAllocator* space, const File& file, uint64_t unit_bytes);
  struct Spare {
    uint64_t pages;
    uint64_t blocks;
  };
  // Changes of a memtable that may need pages.
  static uint64_t Scattered(const Memtable& memtable, uint64_t in_rows) {
    return memtable.count() - std::min<uint64_t>(memtable.count(), in_rows);
  }
  Spare ReserveSpare();  // and returns what is to be made ready
  // What checkpoints need of pages, or have of them already.
  struct PageNeed {
    uint64_t closed = 0;  // for the one under way
    uint64_t open = 0;    // for the open epoch
    uint64_t spare = 0;   // left to changes that give space back
  };
  PageNeed NeedOfPages(uint64_t records, uint64_t record_bytes) const;
  uint64_t Reserve(const PageNeed& need, bool grows);
  // Pages are claimed for some changes ahead, where so many are ready: then the next ones need not
  // ask. It holds until the shard's state is another one, for so much as is told here.
  struct ReservedAhead {
    uint64_t state = ~uint64_t{0};
    uint64_t records = 0;
    uint64_t record_bytes = 0;
    bool grows = false;
    uint64_t pages = 0;
  };
  bool IsReservedAhead(uint64_t records, uint64_t record_bytes, bool grows) const;
  bool ReserveAhead(uint64_t records, uint64_t record_bytes, bool grows);
  std::optional<PageNeed> NeedOfOnePage(uint64_t records, uint64_t record_bytes, bool grows);
  uint64_t LeafBytes() const;
  std::vector<TreeChange> ClosedChanges() const;
  Result<WrittenTree> WriteTree(const TreeWriterOptions& options);
  uint64_t CheckpointPages() const;

  const ShardConfig config_;
  const uint32_t inline_limit_;
  ShardFiles files_;
  mutable BlockFile blocks_;
  mutable BlockAllocator page_allocator_;
  mutable BlockAllocator block_allocator_;
  Pages pages_;
  std::shared_ptr<Memtable> active_;  // that of now_, to be changed
  ShardPin now_;
  std::unordered_map<uint64_t, uint64_t> fresh_;  // block -> version
  ErasedRow last_row_;                            // of the open epoch
  uint64_t in_rows_ = 0;                          // records inside of erased rows
  uint64_t closed_in_rows_ = 0;                   // the same of the closed epoch
  uint64_t next_id_;
  uint64_t state_ = 0;
  ReservedAhead ahead_;
  uint64_t entries_;
  uint64_t orphaned_contents_;
  std::atomic<uint64_t> dirty_bytes_ = 0;
  std::atomic<uint64_t> closed_bytes_ = 0;
  std::atomic<bool> has_kept_damage_ = false;
  std::atomic<bool> is_torn_ = false;
  mutable std::atomic<uint64_t> leaf_bytes_ =
      0;  // of a tree that is one leaf; 0: not looked at yet

  // Of checkpoints:
  format::ShardRoot closed_root_;  // as of the closing
  format::ShardRoot written_;
  uint64_t written_epoch_ = 0;     // of the checkpoint that WriteClosed has written last
  bool is_synced_ = false;         // it, by Sync
  uint64_t pages_written_ = 0;     // by the last checkpoint
  uint64_t blocks_allocated_ = 0;  // in the last epoch
  std::vector<std::weak_ptr<const TreeVersion>> older_;  // trees that readers may have
};

}  // namespace kvfs
