// Buffers the output of a command that reads a store, so that a slow consumer does not keep the
// store open: a thread passes the output on, and the command closes the store as soon as it has
// read everything.
//
// The buffer is bounded. When it is full, the command waits, and says so.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cli/client/keys.h"

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
  Result<void> AwaitRoom(std::unique_lock<std::mutex>& lock);
  void Run();

  const ByteSink target_;
  std::string gathered_;  // small pieces, not yet passed to the thread
  std::thread thread_;    // started once there is much output
  std::mutex mutex_;      // guards the following
  std::condition_variable changed_;
  std::deque<std::string> pieces_;
  size_t held_bytes_ = 0;
  bool is_complete_ = false;
  bool has_ended_ = false;
  Result<void> written_;
};

// The result of a command whose own result is `outcome`: failed output is an error.
CommandResult<> WithOutput(HeldOutput& output, CommandResult<> outcome);

}  // namespace kvfs::cli
