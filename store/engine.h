// The store behind the public header: one process, one directory, everything put together.
//
// The path of a change (Apply): wait for room; write big writes' blocks to their places; lock the
// shards; plan; reserve; append the record to the log; change the trees in memory; unlock. The
// order of the records in the log is that of the changes in every shard, since the append happens
// under the shards' locks.
//
// Threads: see store.h. Locks, in the order in which they may be taken: a shard's after another of
// lower index; the log's and the checkpointer's own inside those.
#pragma once

#include <memory>
#include <string>

#include "store/applier.h"
#include "store/checkpointer.h"
#include "store/health.h"
#include "store/planner.h"
#include "store/redo_log.h"
#include "store/shard_set.h"
#include "store/staging.h"
#include "store/store.h"

namespace kvfs {

// What a recovery hands over: an open store whose lock is held. The parts point to each other.
struct EngineParts {
  Env* env = nullptr;
  std::string path;
  OpenOptions options;
  format::Identity identity;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<File> superblock;
  Shards shards;
  std::unique_ptr<RedoLog> log;
  std::unique_ptr<Health> health;
  std::unique_ptr<Checkpointer> checkpointer;
  uint64_t replayed_records = 0;
};

class Engine final : public Store {
 public:
  explicit Engine(std::unique_ptr<EngineParts> parts);
  ~Engine() override;

  Result<void> Close() override;
  Result<EntryInfo> Stat(Key key) const override;
  Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const override;
  Result<void> Apply(const Batch& batch) override;
  Result<void> List(Space space, Position from,
                    const std::function<bool(const ListedEntry&)>& visit) const override;
  Result<void> Sync() override;
  Result<void> Checkpoint() override;
  StoreStats GetStats() const override;
  Result<DiskSpace> GetDiskSpace() const override;

 private:
  // One try of a batch. `again`: with what it now knows the next one will come further.
  struct Attempt {
    ShardSet locks;
    std::map<size_t, uint32_t> homes;
    bool again = false;
  };
  Result<void> ApplyWithRoom(const Batch& batch);
  Result<void> TryOnce(const Batch& batch, Staging* staging, Attempt* attempt);
  Result<void> Reserve(const Plan& plan);
  Result<void> Commit(const Plan& plan, Staging* staging);
  ShardSet ShardsOf(const Batch& batch) const;
  Result<bool> ListShard(const Shard& shard, Space space, Position from,
                         const std::function<bool(const ListedEntry&)>& visit) const;
  Result<std::optional<size_t>> ReadInline(const Shard& shard, const format::RecordKey& record,
                                           uint64_t offset, MutableBytes out) const;
  Result<std::optional<size_t>> ReadBlocks(const format::RecordKey& record, uint64_t offset,
                                           MutableBytes out) const;
  // Logs damage with the entry's name, and passes everything on.
  Error Report(Error error, Key key) const;

  const std::unique_ptr<EngineParts> parts_;
  bool closed_ = false;
  const Placement placement_;
  Applier applier_;
};

}  // namespace kvfs
