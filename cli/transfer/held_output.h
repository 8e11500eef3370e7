// The output of a command that reads a store, held so that a slow reader of it does not keep the
// store: what is written goes to a thread that hands it on, and the command lets go of the store as
// soon as it has read all, however much is still on its way.
//
// What is held has a bound. Where more comes, the command waits, and says so.
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
  // `target` is called by one thread at a time, in order, until the first error.
  explicit HeldOutput(ByteSink target);
  // Waits as Finish does.
  ~HeldOutput();
  HeldOutput(const HeldOutput&) = delete;
  HeldOutput& operator=(const HeldOutput&) = delete;

  // Fails with an earlier error of the target.
  Result<void> Write(Bytes piece);
  // For text: an error shows at Finish.
  void Print(std::string_view text) { static_cast<void>(Write(AsBytes(text))); }
  ByteSink Sink();

  // Waits until all is written; the first error of the target. No call may follow. To be called
  // once the store has been let go.
  Result<void> Finish();

 private:
  Result<void> PassOn();
  Result<void> AwaitRoom(std::unique_lock<std::mutex>& lock);
  void Run();

  const ByteSink target_;
  std::string gathered_;  // small pieces on their way to the thread
  std::thread thread_;    // started once there is much
  std::mutex mutex_;      // guards the following
  std::condition_variable changed_;
  std::deque<std::string> pieces_;
  size_t held_bytes_ = 0;
  bool is_complete_ = false;
  bool has_ended_ = false;
  Result<void> written_;
};

// How a command ends whose own end is `outcome`: an output that could not be written is an error.
CommandResult<> WithOutput(HeldOutput& output, CommandResult<> outcome);

}  // namespace kvfs::cli
