// The store behind the public header: all parts of one open store, put together.
//
// The path of a change (Apply): wait for room; stage the blocks of big writes; look up the entries;
// lock the shards; resolve the batch in a transaction; reserve the pages that the next checkpoint
// will need; append the record to the log; make the changes visible; unlock.
//
// Threads: see store.h. Locks: docs/concurrency.md.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include <kvfs/store.h>
#include "store/base/failure_latch.h"
#include "store/base/out_of_memory.h"
#include "store/engine/checkpointer.h"
#include "store/engine/identity_file.h"
#include "store/engine/read_view.h"
#include "store/shard/shard_set.h"
#include "store/shard/snapshot_set.h"
#include "store/txn/commit.h"
#include "store/txn/orphan_reclaimer.h"
#include "store/txn/placed_batch.h"
#include "store/txn/staging.h"
#include "store/wal/redo_log.h"

namespace kvfs {

// The result of a recovery: an open store whose lock is held. Parts point to parts declared above
// them.
struct EngineParts {
  std::unique_ptr<Env> entered;  // of the store's directory, if Env::Enter returned one
  Env* env = nullptr;
  std::string path;
  OpenOptions options;
  format::Identity identity;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<File> superblock;
  IdentityFile identity_file;  // none if the store is read-only
  std::unique_ptr<Placement> placement;
  Shards shards;
  SnapshotSet snapshots;
  LogAccount account;
  SpaceAccount space;
  std::unique_ptr<FailureLatch> failure_latch;
  std::unique_ptr<RedoLog> log;
  std::unique_ptr<OrphanReclaimer> reclaimer;
  std::unique_ptr<Checkpointer> checkpointer;  // none if the store is read-only
  uint64_t replayed_records = 0;
  // Of a store opened for salvage: descriptions of the losses; and the lost entries by name.
  std::vector<std::string> losses;
  std::vector<std::pair<uint64_t, std::string>> lost_entries;
  // Why nothing can be changed until the store is reopened: the disk had no room to apply the log.
  // Empty if changes are possible.
  std::string no_room;
  std::string log_damage;  // why the log could not be replayed completely; empty if it was

  CommitTarget commit_target() { return {log.get(), failure_latch.get(), &account, &space}; }
};

class Engine final : public Store {
 public:
  explicit Engine(std::unique_ptr<EngineParts> parts);
  ~Engine() override;

  Result<EntryInfo> Stat(Key key) const override {
    return WithinMemory([&] { return newest_.Stat(key); });
  }
  Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const override {
    return WithinMemory([&] { return newest_.Read(key, offset, out); });
  }
  Result<void> ReadAll(Key key, std::string* content) const override {
    return WithinMemory([&] { return newest_.ReadAll(key, content); });
  }
  Result<uint64_t> FindData(Key key, uint64_t offset) const override {
    return WithinMemory([&] { return newest_.FindData(key, offset); });
  }
  Result<uint64_t> FindHole(Key key, uint64_t offset) const override {
    return WithinMemory([&] { return newest_.FindHole(key, offset); });
  }
  Result<void> List(DirectoryId directory, Position from, const ListVisitor& visit) const override {
    return WithinMemory([&] { return newest_.List(directory, from, visit); });
  }

  Result<void> Damage() const override;
  Result<void> Close() override;
  Result<void> Apply(const Batch& batch) override;
  Result<bool> ApplyPart(const Batch& batch) override;
  Result<uint64_t> CopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                             uint64_t length, MetaEdit edit) override;
  Result<std::unique_ptr<Snapshot>> TakeSnapshot() const override;
  uint64_t ReserveId(std::string_view name) override;
  uint64_t ReserveIdLike(uint64_t other) override;
  Result<void> Sync() override;
  Result<void> Checkpoint() override;
  Result<void> Compact() override;
  Result<CheckReport> Check(const CheckOptions& options) const override;
  StoreStats GetStats() const override;
  Result<DiskSpace> GetDiskSpace() const override;

 private:
  // What one try of a batch found missing, for the next try.
  struct Wants {
    ShardSet locks;
    std::map<size_t, uint32_t> owners;    // of the operations' contents
    std::map<uint32_t, uint64_t> blocks;  // to be preallocated in a shard
    std::map<uint32_t, uint64_t> pages;
    bool spare = false;  // spare space in every shard
  };

  Result<void> RequireWritable() const;
  Result<void> TryApply(const Batch& batch);
  Result<bool> TryApplyPart(const PlacedBatch& batch);
  Result<void> ApplyAtOnce(const PlacedBatch& batch);
  Result<uint64_t> TryCopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                                uint64_t length, const MetaEdit& edit);
  Result<void> ApplyWithRoom(const PlacedBatch& batch);
  Result<void> ApplyOnFullDisk(const PlacedBatch& batch);
  uint64_t OccupiedBytes() const;
  Result<void> NoteIfWriteFailed(Error error);
  Result<void> TryOnce(const PlacedBatch& batch, Staging* staging, Wants* wants);
  Result<void> Provide(const Wants& wants);
  Result<void> ReserveSpace(const Transaction& transaction, bool grows, Wants* wants) const;
  Result<void> CopyPiece(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                         uint64_t length, const MetaEdit& edit);

  const std::unique_ptr<EngineParts> parts_;
  ReadView newest_;
  std::atomic<bool> has_spare_ = false;         // see ReserveSpace
  RankedMutex full_disk_{LockRank::kFullDisk};  // held by the thread that makes room
  std::atomic<bool> makes_room_ = false;        // a thread makes room
  std::atomic<int> staging_ = 0;                // undecided batches that have allocated space
  bool closed_ = false;
};

}  // namespace kvfs
