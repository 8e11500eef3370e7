// Takes checkpoints: turns what the log holds into trees on disk, so that the log starts anew.
//
//   1. under all shards' locks, for a moment: store the space maps, close the epoch, begin a new
//      log segment
//   2. write the closed epoch's pages and blocks, sync them
//   3. write the superblock's first slot, sync it; the second slot, sync that
//   4. free what the epoch freed, recycle the older log segments
//
// A crash before the first slot is synced leaves the last checkpoint, all of its pages, and all of
// the log.
//
// A thread of its own takes a checkpoint when the log or the dirty memory is half full; who wants
// to change the store while one of them is full waits until there is room (WaitForRoom).
//
// Threads: safe from many. Takes all shards' locks, so no caller may hold one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/format/superblock.h"
#include "store/health.h"
#include "store/redo_log.h"
#include "store/shard_set.h"

namespace kvfs {

struct CheckpointerConfig {
  format::Identity identity;
  uint64_t dirty_limit_bytes = 0;
};

class Checkpointer {
 public:
  // All must outlive the checkpointer. `epoch` is that of the newest checkpoint.
  Checkpointer(CheckpointerConfig config, const Shards* shards, RedoLog* log, File* superblock,
               Health* health, uint64_t epoch);
  ~Checkpointer();

  void StartThread();
  enum class Purpose {
    kContinue,  // the files keep room for the next epoch's changes
    kClose,     // the last one: no log continues it, and free space goes back to the disk
  };
  // Takes a checkpoint now. kNoSpace leaves everything as it was.
  Result<void> Run(Purpose purpose);

  // A record of so many bytes was appended, naming blocks of so many bytes.
  void NoteAppended(uint64_t log_bytes, uint64_t block_bytes);
  // Returns when there is room in the log and in the dirty memory.
  Result<void> WaitForRoom();

  uint64_t epoch() const { return epoch_; }
  uint64_t checkpoints() const { return checkpoints_; }
  uint64_t log_bytes() const { return log_bytes_; }
  uint64_t dirty_bytes() const;

 private:
  struct Closed {
    format::Checkpoint checkpoint;
    uint64_t last_sequence = 0;
    uint64_t log_bytes = 0;
    uint64_t block_bytes = 0;
  };

  // How full the log or the dirty memory is: 1 is full.
  double Pressure() const;
  Result<Closed> CloseEpoch(Purpose purpose);
  Result<void> WriteEpoch(const format::Checkpoint& checkpoint);
  void ThreadMain();

  const CheckpointerConfig config_;
  const Shards* shards_;
  RedoLog* log_;
  File* superblock_;
  Health* health_;
  const size_t kept_spares_;  // log segments, enough for the next epoch

  std::mutex running_;  // held by who takes a checkpoint
  std::atomic<uint64_t> epoch_;
  std::atomic<uint64_t> checkpoints_ = 0;
  std::atomic<uint64_t> log_bytes_ = 0;
  std::atomic<uint64_t> block_bytes_ = 0;

  std::mutex mutex_;  // guards the following; never held while taking another lock
  std::condition_variable wanted_changed_;
  std::condition_variable finished_;
  bool wanted_ = false;
  bool stopping_ = false;
  uint64_t attempts_ = 0;
  Result<void> last_attempt_;
  std::thread thread_;
};

}  // namespace kvfs
