// One shard: a lock, a tree of entries in its keys file, and blocks in its values file.
//
// Entries live in the shard that their name's hash picks. A content's chunks and blocks live in the
// shard where its entry was created, which its id tells (id mod number of shards): a move to
// another shard moves the entry only.
//
// Threads: `mutex` guards everything here; see each part for what needs it shared or exclusive.
// Locks of several shards are taken in ascending order of their indexes.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>

#include "store/batch.h"
#include "store/blocks.h"
#include "store/contents.h"
#include "store/format/entry.h"
#include "store/format/superblock.h"
#include "store/pages.h"
#include "store/space_map.h"
#include "store/tree.h"

namespace kvfs {

struct ShardFiles {
  std::unique_ptr<File> keys;
  std::unique_ptr<File> values;
};

struct ShardConfig {
  uint32_t index = 0;
  uint32_t shards = 1;
  uint32_t page_bytes = 0;
  uint64_t checksum_seed = 0;
  std::function<void(std::string_view)> log;
};

class Shard {
 public:
  Shard(ShardFiles files, const ShardConfig& config, const format::ShardRoot& root,
        uint64_t open_epoch);

  mutable std::shared_mutex mutex;

  uint32_t inline_limit() const { return inline_limit_; }
  // The entry, borrowed from its page; kNotFound. kCorrupt is logged with the entry's name.
  Result<format::Entry> Find(const format::RecordKey& key) const;
  Result<void> Store(const format::RecordKey& key, const format::Entry& entry);

  Contents& contents() { return contents_; }
  const Contents& contents() const { return contents_; }
  Cursor NewCursor() const { return {&pages_, tree_.root()}; }
  uint64_t PagesPerChange() const { return tree_.PagesPerChange(); }
  Result<void> EraseRecord(const format::RecordKey& key) { return tree_.Erase(key); }

  // An id whose content will live in this shard, never given before.
  uint64_t TakeId();
  // A replayed change used that id.
  void NoteId(uint64_t id);
  void CountEntries(int64_t change) { entries_ += static_cast<uint64_t>(change); }

  // Makes sure of so many pages and blocks. Pages that a checkpoint needs are always kept back, and
  // for a change that `grows` the store some more, so that deletes work on a full disk.
  Result<void> Reserve(uint64_t pages, uint64_t blocks, bool grows);
  // Pages of views that the disk failed to deliver: if it moves, what was read meanwhile is void.
  uint64_t ViewFaults() const { return files_.keys->ViewFaults(); }
  SpaceMap& block_space() { return block_space_; }
  Blocks& blocks() { return blocks_; }

  // Of pages and blocks that wait in memory for a checkpoint, as PublishDirty saw them last. Needs
  // no lock.
  uint64_t dirty_bytes() const { return dirty_bytes_.load(std::memory_order_relaxed); }
  // To be called after changes, with the lock held exclusively.
  void PublishDirty() { dirty_bytes_ = pages_.dirty_bytes() + blocks_.dirty_bytes(); }
  uint64_t entries() const { return entries_; }
  uint64_t page_bytes_used() const;
  uint64_t block_bytes_used() const;
  uint64_t reusable_bytes() const;
  Result<uint64_t> FileBytes() const;

  // The steps of a checkpoint. StoreSpaceMaps and CloseEpoch need the lock exclusive; Write and
  // Sync need none; CheckpointDurable needs it exclusive.
  Result<void> StoreSpaceMaps();
  format::ShardRoot CloseEpoch();
  Result<void> WriteFrozen();
  Result<void> Sync();
  void CheckpointDurable(bool keep_spare);

 private:
  uint64_t CheckpointPages() const;
  uint64_t DeletePages() const { return 4 * tree_.PagesPerChange(); }
  Result<GroupWords> LoadGroup(uint64_t space, uint64_t group) const;
  Result<void> StoreDirtyGroups(SpaceMap& space, uint64_t record_space);

  const ShardConfig config_;
  const uint32_t inline_limit_;
  ShardFiles files_;
  SpaceMap page_space_;
  SpaceMap block_space_;
  Pages pages_;
  Tree tree_;
  Blocks blocks_;
  Contents contents_;
  uint64_t next_id_;
  uint64_t entries_;
  std::atomic<uint64_t> dirty_bytes_ = 0;
};

}  // namespace kvfs
