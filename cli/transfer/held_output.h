// Buffers the output of a command that reads a store, so that a slow consumer does not keep the
// store open: a thread passes the output on, and the command closes the store as soon as it has
// read everything.
//
// The buffer is bounded. When it is full, the command waits, and says so.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "cli/client/keys.h"
#include "store/base/mutex.h"

namespace kvfs::cli {

inline constexpr size_t kMostHeldBytes = size_t{32} << 20;

class HeldOutput {
 public:
  // `target` is called in order, by one thread at a time, until the first error.
  explicit HeldOutput(ByteSink target);
  // Waits like Finish.
  ~HeldOutput();
  HeldOutput(const HeldOutput&) = delete;
  HeldOutput& operator=(const HeldOutput&) = delete;

  // Returns an earlier error of the target.
  Result<void> Write(Bytes piece);
  // For text; Finish reports errors.
  void Print(std::string_view text) { static_cast<void>(Write(AsBytes(text))); }
  ByteSink Sink();

  // Waits until everything is written; returns the first error of the target. No call may follow.
  // Call it after the store has been closed.
  Result<void> Finish();

 private:
  Result<void> PassOn();
  // Releases the lock while it waits.
  Result<void> AwaitRoom() KVFS_REQUIRES_LOCK(mutex_);
  void Run();

  const ByteSink target_;
  std::string gathered_;  // small pieces, not yet passed to the thread
  std::thread thread_;    // started once there is much output
  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<std::string> pieces_ KVFS_GUARDED_BY(mutex_);
  size_t held_bytes_ KVFS_GUARDED_BY(mutex_) = 0;
  bool is_complete_ KVFS_GUARDED_BY(mutex_) = false;
  bool has_ended_ KVFS_GUARDED_BY(mutex_) = false;
  Result<void> written_ KVFS_GUARDED_BY(mutex_);
};

// The result of a command whose own result is `outcome`: failed output is an error.
CommandResult<> WithOutput(HeldOutput& output, CommandResult<> outcome);

}  // namespace kvfs::cli
