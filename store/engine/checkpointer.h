// Takes checkpoints: turns what the memtables hold into the shards' next trees, so that the log
// starts anew.
//
//   1. under all shards' locks, for microseconds: begin a new log segment, close the epoch
//   2. write each shard's next tree and its allocation maps, sync them
//   3. write the copy in the file identity, sync it; the superblock's first slot, sync it; the
//   second
//      slot, sync that
//   4. let readers see the new trees, give out again what the old ones had, recycle the log before
//
// A crash before the first slot is synced leaves the last checkpoint, all of its pages, and all of
// the log. A disk that is full in step 2 or 3, or want of memory in step 2, leaves the epoch
// closed: the next checkpoint begins there.
//
// Where the disk has no room for a new log segment, the log is suspended in step 1, as at a
// closing, and the checkpoint says that no log continues it; changes fail with kNoSpace meanwhile.
// When it is durable, all segments are spares: the log is begun again in one of them, and named in
// the superblock. So a checkpoint needs no room in the log, and neither does an opening, which
// begins so if it must.
//
// A thread of its own takes a checkpoint when the log or the memory for changes is half full, when
// much of the disk's space is dead (let go of, but not to be used again before a checkpoint), or
// when nothing has changed for a while. Who wants to change the store waits until there is room
// (WaitForRoom) while the log or the memory is full, or while both what is dead and what has been
// taken since the newest checkpoint are at their limit: changes that only let go of space never
// wait for want of it.
//
// Threads: safe from many. Takes all shards' locks, so no caller may hold one.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
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
  // Gives space back that needs changes for it, as long as has_room(bytes of memory that these have
  // taken); true if some was given back and there is more.
  using Prepare = std::function<Result<bool>(const std::function<bool(uint64_t bytes)>& has_room)>;

  // All must outlive the checkpointer. `newest` is the checkpoint that the shards and the log have
  // been opened from. `prepare` is called before each checkpoint, with no shard's lock held; it may
  // change the store. Where it leaves more to be done, another checkpoint follows.
  Checkpointer(CheckpointerConfig config, const Shards* shards, RedoLog* log, LogAccount* account,
               SpaceAccount* space, File* superblock, IdentityFile* copy,
               FailureLatch* failure_latch, format::Checkpoint newest, Prepare prepare);
  ~Checkpointer();

  // Begins the log of this life, after RedoLog::Start: a segment to append to, and one that is kept
  // for the next checkpoint. kNoSpace: the store can be read, and each Run tries again.
  Result<void> BeginLog();
  // kUnavailable if the system gives no thread.
  Result<void> StartThread();
  using Purpose = CheckpointPurpose;
  // Takes a checkpoint of everything so far. kNoSpace loses nothing. Does nothing after one for
  // kClose.
  Result<void> Run(Purpose purpose);
  // Has the disk have all room that there is to be had: a checkpoint frees what is dead, and what
  // is ready in the shards' files goes back. That there is too little is no error.
  Result<void> MakeRoom();
  // The last checkpoint has left space to be given back by the next ones.
  bool leaves_more() const { return leaves_more_; }

  // Contents of so many bytes were let go of.
  void NoteOrphaned(uint64_t bytes);
  // Returns when there is room in the log and in the memory for changes, and little space dead:
  // when they are not full, or not to that share, of what can wait and shall leave some room to
  // others.
  Result<void> WaitForRoom(double full = 1);

  // No checkpoint is under way as long as the lock is held: all shards have trees of one epoch, and
  // the superblock's slots are both that.
  [[nodiscard]] std::unique_lock<RankedMutex> Pause() { return std::unique_lock(running_); }

  uint64_t epoch() const { return epoch_; }
  uint64_t checkpoints() const { return checkpoints_; }
  uint64_t dirty_bytes() const;

 private:
  // An epoch that is closed, and whose checkpoint is not durable yet.
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

  // How full the log or the memory is: 1 is full.
  double Pressure() const;
  // How much space is dead, and how much was taken, of what may be at most.
  double DeadPressure() const;
  double AllocatedPressure() const;
  bool IsCheckpointDue() const;
  bool MustWait(double full) const;
  void LimitDeadSpace();
  uint64_t SpareLogBytes() const;
  bool HasRoomToReclaim(uint64_t bytes) const;
  void WakeThread();
  void NotifyRoom();
  Result<void> RunLocked(Purpose purpose);
  Result<void> RunOne(Purpose purpose);
  Result<void> TryRunOne(Purpose purpose);
  void GiveBackPreallocated();
  Result<bool> PrepareRotation(Purpose purpose);
  Result<void> CloseEpoch(Purpose purpose);
  Result<void> WriteTrees();
  Result<void> WriteSuperblock();
  Result<void> Finish();
  Result<void> NameOwnSegment();
  void ThreadMain();
  std::optional<Purpose> WaitForWork(std::unique_lock<RankedMutex>& lock);

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

  RankedMutex running_{
      LockRank::kCheckpoint};  // held by who takes a checkpoint; guards the following
  std::optional<Closed> closed_;
  format::Checkpoint newest_;  // as the superblock has it
  bool is_over_ = false;       // the last checkpoint was taken
  std::atomic<uint64_t> epoch_;
  std::atomic<uint64_t> checkpoints_ = 0;
  std::atomic<uint64_t> orphaned_bytes_ = 0;
  std::atomic<uint64_t> dead_limit_bytes_ = 0;
  std::atomic<bool> leaves_more_ = false;

  RankedMutex mutex_{
      LockRank::kCheckpointRequests};  // guards the following; never held while taking another lock
  std::condition_variable_any wanted_changed_;
  std::condition_variable_any finished_;
  bool wanted_ = false;
  bool stopping_ = false;
  uint64_t attempts_ = 0;
  Result<void> last_attempt_;
  uint64_t idle_sequence_ = 0;     // the last one that the thread saw
  uint64_t trimmed_sequence_ = 0;  // as of the last idle checkpoint
  std::thread thread_;
};

}  // namespace kvfs
