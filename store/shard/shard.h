// One shard: the tree of the last checkpoint, the changes since then in memory, and the allocators
// of its two files.
//
//   active memtable   changes of the open epoch
//   closed memtable   changes of the epoch whose checkpoint is in progress, if any
//   tree version      the last checkpoint's tree
//
// Lookups consult the three in this order; the first that contains the key wins. The hash of an
// entry's name selects its shard. The blocks of its content are in its *owner shard*, where the
// entry was created: id mod number of shards. So a move to another shard moves the entry alone.
//
// Reading. Memtables are read under the lock, briefly; the tree is read without it, with a pin.
// Nothing reachable from the pinned tree, neither pages nor blocks, is reused while it is pinned.
//
// Threads: `mutex` guards the memtables' contents and the members of now(); see each method. clang
// checks who holds it when a method is called, not who reads a memtable. Locks of several shards
// are taken in ascending order of their indexes.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <unordered_map>

#include "store/alloc/block_allocator.h"
#include "store/alloc/block_file.h"
#include "store/base/lock_rank.h"
#include "store/btree/pages.h"
#include "store/btree/tree_writer.h"
#include "store/format/name_hash.h"
#include "store/format/superblock.h"
#include "store/shard/memtable.h"

namespace kvfs {

enum class CheckpointPurpose {
  kContinue,  // the files keep space for the next epoch's changes
  kIdle,      // free space is returned to the disk
  kCompact,   // the same, and every page is rewritten, as full as possible
  kClose,     // the last one: no log continues it
};

struct ShardFiles {
  std::unique_ptr<File> keys;
  std::unique_ptr<File> values;
  uint64_t keys_bytes = 0;  // file sizes at the opening
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
  format::ShardRoot root;  // the shard's part of the checkpoint
};

// Numbered records of one directory that are erased together: all that it had in [begin, end).
struct ErasedRow {
  uint64_t directory = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t count = 0;

  // Number of records for which a checkpoint writes no page.
  uint64_t Inside() const { return count > 2 ? count - 2 : 0; }
};

// The state of a shard at one moment. Keeps the memtables and the tree alive.
struct ShardPin {
  std::shared_ptr<const Memtable> active;
  std::shared_ptr<const Memtable> closed;  // null if there was none
  std::shared_ptr<const TreeVersion> tree;

  // The newest version in memory that is at most `at`; null if the tree must be searched. Requires
  // the shard's lock, shared.
  const Memtable::Record* FindInMemory(const format::RecordKey& key, uint64_t at) const {
    const Memtable::Record* record = active->Find(key, at);
    return record == nullptr && closed != nullptr ? closed->Find(key, at) : record;
  }
  // The same for the newest versions of up to Memtable::kMostKeys keys.
  void FindEachInMemory(std::span<const format::RecordKey> keys,
                        std::span<const Memtable::Record*> found) const;
};

class Shard {
 public:
  // `root` belongs to the checkpoint of `epoch`.
  Shard(ShardFiles files, const ShardConfig& config, const format::ShardRoot& root, uint64_t epoch);

  mutable RankedSharedMutex mutex;

  uint32_t inline_limit() const { return inline_limit_; }
  const Pages& pages() const { return pages_; }
  BlockFile& blocks() const { return blocks_; }
  BlockAllocator& page_allocator() const { return page_allocator_; }
  BlockAllocator& block_allocator() const { return block_allocator_; }

  // --- with the lock shared ---

  // The current state: now() is valid while the lock is held, Pin() until it is destroyed.
  const ShardPin& now() const KVFS_REQUIRES_SHARED(mutex) { return now_; }
  ShardPin Pin() const KVFS_REQUIRES_SHARED(mutex) { return now_; }
  // Increases with each change of now(), or of the memtables' contents.
  uint64_t state() const KVFS_REQUIRES_SHARED(mutex) { return state_; }

  // --- with the lock exclusive ---

  // See Memtable::Put.
  void Put(const format::RecordKey& key, uint64_t version, std::optional<Bytes> value,
           uint64_t keep) KVFS_REQUIRES_LOCK(mutex) {
    ++state_;
    active_->Put(key, version, value, keep);
  }
  // A new id, never assigned before; this shard is the owner shard of its content.
  uint64_t TakeId() KVFS_REQUIRES_LOCK(mutex);
  // Keeps TakeId from returning `id`, which a replayed change used, or a lower one.
  void NoteId(uint64_t id) KVFS_REQUIRES_LOCK(mutex);
  void CountEntries(int64_t change) KVFS_REQUIRES_LOCK(mutex) {
    entries_ += static_cast<uint64_t>(change);
  }
  void CountOrphans(int64_t change) KVFS_REQUIRES_LOCK(mutex) {
    orphaned_contents_ += static_cast<uint64_t>(change);
  }
  // Of such a row, reservations count the two ends only, and of one that continues the previous row
  // nothing more.
  void NoteRowErased(const ErasedRow& row) KVFS_REQUIRES_LOCK(mutex);
  // Notes a block written in this epoch for a record that is only in the newest state. It may be
  // overwritten, as no checkpoint and no log record refers to its bytes.
  void NoteFresh(uint64_t block, uint64_t version) KVFS_REQUIRES_LOCK(mutex);
  // True if the block is fresh, and no snapshot up to `keep` can see it.
  bool IsFresh(uint64_t block, uint64_t keep) const KVFS_REQUIRES_SHARED(mutex);

  // Reserve the pages and blocks that checkpoints can need for all changes so far and for `records`
  // more, of `record_bytes` in total, so that they cannot fail for lack of disk space; and spare
  // ones, left to changes that free space, so that a full disk does not stop those. Return how many
  // must be preallocated before a change that grows the store (or one that does not) can be made; 0
  // if enough are.
  uint64_t ReservePages(uint64_t records, uint64_t record_bytes, bool grows)
      KVFS_REQUIRES_LOCK(mutex);
  uint64_t ReserveBlocks(bool grows) KVFS_REQUIRES_SHARED(mutex);

  // Without the lock: preallocates the spare pages and blocks. kNoSpace if the disk is full.
  Result<void> PreallocateSpare();

  // --- with the lock shared, or without it for an approximate answer ---

  uint64_t dirty_bytes() const { return dirty_bytes_.load(std::memory_order_relaxed); }
  void PublishDirty() KVFS_REQUIRES_SHARED(mutex) {
    dirty_bytes_ = now_.active->bytes() + closed_bytes_;
  }
  uint64_t entries() const KVFS_REQUIRES_SHARED(mutex) { return entries_; }
  uint64_t orphaned_contents() const KVFS_REQUIRES_SHARED(mutex) { return orphaned_contents_; }
  // Of pages and blocks in use, without those that wait to be free.
  uint64_t UsedBytes() const {
    return page_allocator_.used() * config_.page_bytes +
           block_allocator_.used() * format::kBlockBytes;
  }
  // Of pages and blocks that wait to be free.
  uint64_t WaitingBytes() const {
    return page_allocator_.waiting() * config_.page_bytes +
           block_allocator_.waiting() * format::kBlockBytes;
  }
  Result<uint64_t> FileBytes() const;
  Result<uint64_t> DiskBytes() const;
  // Number of pages of views that the disk failed to deliver. If it has changed, data read
  // meanwhile is invalid.
  uint64_t ViewFaults() const { return files_.keys->ViewFaults(); }
  // To be called, with the lock exclusive, after a logged change was applied only in part, for lack
  // of memory: the state in memory is then neither the one before the change nor the one after it.
  void MarkTorn() { is_torn_.store(true, std::memory_order_release); }
  // kUnavailable after MarkTorn. Requires the lock, shared or exclusive.
  Result<void> CheckWhole() const {
    if (!is_torn_.load(std::memory_order_acquire)) return {};
    return Fail(
        ErrorCode::kUnavailable,
        "a change was left half done in memory, for want of it; nothing is lost: reopen the "
        "store");
  }
  // True if a write or sync of a file has failed in a way that leaves its contents in doubt.
  bool IsSuspect() const { return files_.keys->IsSuspect() || files_.values->IsSuspect(); }

  // --- the steps of a checkpoint, in this order (any other order ends the process) ---

  // With the lock exclusive: closes the active memtable, and opens a new one. The previous closed
  // one must be in a durable checkpoint.
  void CloseEpoch() KVFS_REQUIRES_LOCK(mutex);
  bool has_closed() const { return Steady().closed != nullptr; }
  // Without the lock: writes the tree of the closed epoch, and the allocation maps. kNoSpace:
  // nothing has changed, and the call may be repeated.
  Result<format::ShardRoot> WriteClosed(uint64_t epoch, bool rewrites_all);
  // Whether the last rewrite of the whole tree has left damaged pages in place.
  bool has_kept_damage() const { return has_kept_damage_; }
  Result<void> Sync();
  // Without the lock, which it takes: to be called when the checkpoint, written and synced by the
  // calls above, is durable. Installs its tree.
  void CheckpointDurable(uint64_t epoch);
  // Frees the pages and blocks that no reader needs any more.
  void FreeUnread();
  // Returns free space to the disk, except the spare space, which deletes need when it is full.
  void Trim(CheckpointPurpose purpose);
  // Returns all free space that is not reserved, since another file may need it.
  void GiveBackPreallocated();

 private:
  static void TrimIdle(BlockAllocator* space, const File& file, uint64_t unit_bytes);
  struct Spare {
    uint64_t pages;
    uint64_t blocks;
  };
  // Number of changes of a memtable that may need pages.
  static uint64_t Scattered(const Memtable& memtable, uint64_t in_rows) {
    return memtable.count() - std::min<uint64_t>(memtable.count(), in_rows);
  }
  // For checkpoints: they alone change `closed` and `tree`, so what they read there stays as it is
  // without the lock. Not for `active`.
  const ShardPin& Steady() const KVFS_NO_THREAD_SAFETY_ANALYSIS { return now_; }
  Spare ReserveSpare();  // returns the numbers to be preallocated
  uint64_t ReserveSparePages() KVFS_REQUIRES_SHARED(mutex);
  // The pages that checkpoints need; of `closed`, some may be pinned already.
  struct PageNeed {
    uint64_t closed = 0;  // for the checkpoint in progress
    uint64_t open = 0;    // for the open epoch's checkpoint
    uint64_t spare = 0;   // left to changes that free space
  };
  PageNeed NeedOfPages(uint64_t records, uint64_t record_bytes) const KVFS_REQUIRES_SHARED(mutex);
  uint64_t Reserve(const PageNeed& need, bool grows) KVFS_REQUIRES_SHARED(mutex);
  // Pages are reserved for several changes ahead if enough are preallocated, so that the next
  // changes need no calculation. Valid as long as state() is `state`, up to these totals of the
  // memtable.
  struct ReservedAhead {
    uint64_t state = ~uint64_t{0};
    uint64_t records = 0;
    uint64_t record_bytes = 0;
    bool grows = false;
    uint64_t pages = 0;
  };
  bool IsReservedAhead(uint64_t records, uint64_t record_bytes, bool grows) const
      KVFS_REQUIRES_SHARED(mutex);
  bool ReserveAhead(uint64_t records, uint64_t record_bytes, bool grows) KVFS_REQUIRES_LOCK(mutex);
  std::optional<PageNeed> NeedOfOnePage(uint64_t records, uint64_t record_bytes, bool grows)
      KVFS_REQUIRES_SHARED(mutex);
  uint64_t LeafBytes() const KVFS_REQUIRES_SHARED(mutex);
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
  std::shared_ptr<Memtable> active_ KVFS_GUARDED_BY(mutex);  // now_.active, mutable
  ShardPin now_ KVFS_GUARDED_BY(mutex);
  std::unordered_map<uint64_t, uint64_t> fresh_ KVFS_GUARDED_BY(mutex);  // block -> version
  ErasedRow last_row_ KVFS_GUARDED_BY(mutex);                            // of the open epoch
  uint64_t in_rows_ KVFS_GUARDED_BY(mutex) = 0;         // records inside erased rows
  uint64_t closed_in_rows_ KVFS_GUARDED_BY(mutex) = 0;  // the same, of the closed epoch
  uint64_t next_id_ KVFS_GUARDED_BY(mutex);
  uint64_t state_ KVFS_GUARDED_BY(mutex) = 0;
  ReservedAhead ahead_ KVFS_GUARDED_BY(mutex);
  uint64_t entries_ KVFS_GUARDED_BY(mutex);
  uint64_t orphaned_contents_ KVFS_GUARDED_BY(mutex);
  std::atomic<uint64_t> dirty_bytes_ = 0;
  std::atomic<uint64_t> closed_bytes_ = 0;
  std::atomic<bool> has_kept_damage_ = false;
  std::atomic<bool> is_torn_ = false;
  mutable std::atomic<uint64_t> leaf_bytes_ = 0;  // of a tree that is one leaf; 0: not read yet

  // Of checkpoints:
  format::ShardRoot closed_root_;  // as of the closing
  format::ShardRoot written_;
  uint64_t written_epoch_ = 0;     // of the checkpoint last written by WriteClosed
  bool is_synced_ = false;         // that checkpoint, by Sync
  uint64_t pages_written_ = 0;     // by the last checkpoint
  uint64_t blocks_allocated_ = 0;  // in the last epoch
  // Trees that readers may have pinned.
  std::vector<std::weak_ptr<const TreeVersion>> older_ KVFS_GUARDED_BY(mutex);
};

}  // namespace kvfs
