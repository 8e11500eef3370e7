// Takes checkpoints: writes the memtables into the shards' next trees, so that the log can start
// anew.
//
//   1. under all shards' locks, for microseconds: begin a new log segment, close the epoch
//   2. write each shard's next tree and allocation maps, and sync them
//   3. write and sync the copy in the file `identity`, the superblock's first slot, and then its
//      second slot
//   4. show readers the new trees, free what only the old ones used, recycle the older log segments
//
// A crash before the first slot is synced leaves the last checkpoint, all of its pages, and the
// whole log. If the disk is full in step 2 or 3, or memory is short in step 2, the epoch stays
// closed, and the next checkpoint continues there.
//
// If the disk has no room for a new log segment, step 1 suspends the log, as when closing the
// store, and the checkpoint records that no log continues it; changes fail with kNoSpace meanwhile.
// Once it is durable, all segments are spares: the log is restarted in one of them, which the
// superblock then names. So neither a checkpoint nor an opening needs disk space for the log.
//
// A background thread takes a checkpoint when the log or the memory for changes is half full, when
// much disk space is dead (freed, but not reusable before a checkpoint), or when nothing has
// changed for a while. A writer waits for room (WaitForRoom) while the log or the memory is full,
// or while the dead space and the space allocated since the newest checkpoint are both at their
// limit: so changes that only free space never wait because of it.
//
// Threads: thread-safe. Takes all shards' locks, so the caller must not hold one.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <thread>

#include "store/alloc/space_account.h"
#include "store/base/failure_latch.h"
#include "store/base/lock_rank.h"
#include "store/engine/identity_file.h"
#include "store/format/superblock.h"
#include "store/shard/shard_set.h"
#include "store/wal/log_account.h"
#include "store/wal/redo_log.h"

namespace kvfs {

struct CheckpointerConfig {
  format::Identity identity;
  uint64_t dirty_limit_bytes = 0;
  uint32_t idle_ms = 0;  // 0: never
};

class Checkpointer {
 public:
  // Frees space that takes changes to free, as long as has_room(bytes of memory that these changes
  // have taken) is true. Returns true if some was freed and there is more.
  using Prepare = std::function<Result<bool>(const std::function<bool(uint64_t bytes)>& has_room)>;

  // All must outlive the checkpointer. `newest` is the checkpoint from which the shards and the log
  // were opened. `prepare` is called before each checkpoint, with no shard's lock held; it may
  // change the store. If it returns true, another checkpoint follows.
  Checkpointer(CheckpointerConfig config, const Shards* shards, RedoLog* log, LogAccount* account,
               SpaceAccount* space, File* superblock, IdentityFile* copy,
               FailureLatch* failure_latch, format::Checkpoint newest, Prepare prepare);
  ~Checkpointer();

  // Begins this life of the log, after RedoLog::Start: a segment to append to, and a spare for the
  // next checkpoint. kNoSpace: the store can only be read; each Run tries again.
  Result<void> BeginLog();
  // kUnavailable if the system cannot create a thread.
  Result<void> StartThread();
  using Purpose = CheckpointPurpose;
  // Takes a checkpoint of all changes so far. kNoSpace loses nothing. Does nothing after a kClose
  // checkpoint.
  Result<void> Run(Purpose purpose);
  // Makes as much disk space available as possible: takes a checkpoint, which makes dead space
  // reusable, and returns preallocated space of the shards' files that is not reserved. A disk that
  // is still full is no error.
  Result<void> MakeRoom();
  // Whether the last checkpoint has left space to be freed by the next ones.
  bool leaves_more() const { return leaves_more_; }

  // Notes that contents of `bytes` bytes were orphaned.
  void NoteOrphaned(uint64_t bytes);
  // Returns when the log and the memory for changes, and either the dead space or the space
  // allocated since the newest checkpoint, are below the share `full` of their limits. Callers that
  // can wait pass less than 1, to leave some room to others. Returns the checkpoints' error if they
  // failed to make room in the log or the memory.
  Result<void> WaitForRoom(double full = 1);

  // While this lock is held there are no checkpoints: all shards have trees of one epoch, which is
  // that of both slots of the superblock.
  RankedMutex& pause() KVFS_RETURNS_LOCK(running_) { return running_; }

  uint64_t epoch() const { return epoch_; }
  uint64_t checkpoints() const { return checkpoints_; }
  uint64_t dirty_bytes() const;

 private:
  // A closed epoch whose checkpoint is not durable yet.
  struct Closed {
    Purpose purpose;
    bool suspends_log;  // no log continues the checkpoint
    format::Checkpoint checkpoint;
    uint64_t last_sequence = 0;
    uint64_t log_bytes = 0;
    uint64_t block_bytes = 0;
    uint64_t allocated_bytes = 0;
    uint64_t freed_bytes = 0;
  };

  // The share of the log or of the memory for changes that is used, whichever is greater: 1 is
  // full.
  double Pressure() const;
  // Dead and allocated space, as shares of the limit.
  double DeadPressure() const;
  double AllocatedPressure() const;
  bool IsCheckpointDue() const;
  bool MustWait(double full) const;
  void LimitDeadSpace();
  uint64_t SpareLogBytes() const;
  bool HasRoomToReclaim(uint64_t bytes) const;
  void WakeThread();
  void NotifyRoom();
  Result<void> RunLocked(Purpose purpose) KVFS_REQUIRES_LOCK(running_);
  Result<void> RunOne(Purpose purpose) KVFS_REQUIRES_LOCK(running_);
  Result<void> TryRunOne(Purpose purpose) KVFS_REQUIRES_LOCK(running_);
  void GiveBackPreallocated() KVFS_REQUIRES_LOCK(running_);
  Result<bool> PrepareRotation(Purpose purpose) KVFS_REQUIRES_LOCK(running_);
  Result<void> CloseEpoch(Purpose purpose) KVFS_REQUIRES_LOCK(running_);
  Result<void> WriteTrees() KVFS_REQUIRES_LOCK(running_);
  Result<void> WriteSuperblock() KVFS_REQUIRES_LOCK(running_);
  Result<void> Finish() KVFS_REQUIRES_LOCK(running_);
  Result<void> NameOwnSegment() KVFS_REQUIRES_LOCK(running_);
  void ThreadMain();
  // Releases the lock while it waits.
  std::optional<Purpose> WaitForWork() KVFS_REQUIRES_LOCK(mutex_);

  const CheckpointerConfig config_;
  const Shards* shards_;
  RedoLog* log_;
  LogAccount* account_;
  SpaceAccount* space_;
  File* superblock_;
  IdentityFile* copy_;
  FailureLatch* failure_latch_;
  const Prepare prepare_;
  const size_t kept_spares_;  // log segments, enough for the next epoch

  RankedMutex running_{LockRank::kCheckpoint};  // held while a checkpoint is taken
  std::optional<Closed> closed_ KVFS_GUARDED_BY(running_);
  format::Checkpoint newest_ KVFS_GUARDED_BY(running_);  // as in the superblock
  bool is_over_ KVFS_GUARDED_BY(running_) = false;       // the kClose checkpoint was taken
  std::atomic<uint64_t> epoch_;
  std::atomic<uint64_t> checkpoints_ = 0;
  std::atomic<uint64_t> orphaned_bytes_ = 0;
  std::atomic<uint64_t> dead_limit_bytes_ = 0;
  std::atomic<bool> leaves_more_ = false;

  RankedMutex mutex_{LockRank::kCheckpointRequests};  // never held while taking another lock
  std::condition_variable_any wanted_changed_;
  std::condition_variable_any finished_;
  bool wanted_ KVFS_GUARDED_BY(mutex_) = false;
  bool stopping_ KVFS_GUARDED_BY(mutex_) = false;
  uint64_t attempts_ KVFS_GUARDED_BY(mutex_) = 0;
  Result<void> last_attempt_ KVFS_GUARDED_BY(mutex_);
  // The last one seen by the thread; and as of the last idle checkpoint.
  uint64_t idle_sequence_ KVFS_GUARDED_BY(mutex_) = 0;
  uint64_t trimmed_sequence_ KVFS_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace kvfs
