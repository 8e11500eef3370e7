// A thread, since O_NONBLOCK would also affect the other processes that share the pipe.

#include "cli/transfer/held_output.h"

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/base/user_message.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr milliseconds kStep{50};
constexpr milliseconds kSilence{3'000};
// Interrupts a blocking write; ignored by default.
constexpr int kWake = SIGURG;

void HaveWakingEndWrites() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(kWake, &action, nullptr);
}

}  // namespace

HeldOutput::HeldOutput(ByteSink target) : target_(std::move(target)) {}

HeldOutput::~HeldOutput() { static_cast<void>(Finish()); }

ByteSink HeldOutput::Sink() {
  return [this](Bytes piece) { return Write(piece); };
}

Result<void> HeldOutput::Write(Bytes piece) {
  gathered_ += AsText(piece);
  return gathered_.size() < kPieceBytes ? Result<void>() : PassOn();
}

Result<void> HeldOutput::PassOn() {
  if (!thread_.joinable()) {
    HaveWakingEndWrites();
    thread_ = std::thread([this] { Run(); });
  }
  MutexLock lock(mutex_);
  KVFS_TRY(AwaitRoom());
  held_bytes_ += gathered_.size();
  pieces_.push_back(std::exchange(gathered_, {}));
  changed_.notify_all();
  return {};
}

Result<void> HeldOutput::AwaitRoom() {
  const auto since = steady_clock::now();
  bool is_told = false;
  while (written_ && held_bytes_ >= kMostHeldBytes) {
    KVFS_TRY(CheckNotInterrupted());
    if (!is_told && steady_clock::now() - since > kSilence) {
      is_told = true;
      Tell(Severity::kNotice,
           "the output is not being read; changes to the store must wait until it is");
    }
    changed_.wait_for(mutex_, kStep);
  }
  return written_;
}

void HeldOutput::Run() {
  MutexLock lock(mutex_);
  while (written_) {
    changed_.wait(mutex_,
                  [this]() KVFS_REQUIRES_LOCK(mutex_) { return is_complete_ || !pieces_.empty(); });
    if (pieces_.empty()) break;
    const std::string piece = std::move(pieces_.front());
    pieces_.pop_front();
    lock.unlock();
    Result<void> written = target_(AsBytes(piece));
    lock.lock();
    held_bytes_ -= piece.size();
    written_ = std::move(written);
    changed_.notify_all();
  }
  has_ended_ = true;
  changed_.notify_all();
}

Result<void> HeldOutput::Finish() {
  if (!thread_.joinable()) {
    const MutexLock lock(mutex_);  // which no other thread wants
    const std::string all = std::exchange(gathered_, {});
    if (written_ && !all.empty()) written_ = target_(AsBytes(all));
    return written_;
  }
  MutexLock lock(mutex_);
  if (!gathered_.empty()) pieces_.push_back(std::exchange(gathered_, {}));
  is_complete_ = true;
  changed_.notify_all();
  while (!changed_.wait_for(mutex_, kStep,
                            [this]() KVFS_REQUIRES_LOCK(mutex_) { return has_ended_; })) {
    // A blocking write would not notice the request to stop.
    if (IsInterrupted()) ::pthread_kill(thread_.native_handle(), kWake);
  }
  lock.unlock();
  thread_.join();
  lock.lock();
  return written_;
}

CommandResult<> WithOutput(HeldOutput& output, CommandResult<> outcome) {
  const auto written = output.Finish();
  if (!outcome || written) return outcome;
  return Fail(ExitCodeOfKey(written.error().code), "cannot write to " + written.error().message);
}

}  // namespace kvfs::cli
