// Waiting for another process, never without a bound, and never long without a word.
//
// The bound is the command's: what one wait has taken, the next ones lack.
//
// After a second the person is told what is waited for, and how long at most; then how much is
// left: on a terminal each second, in one line, elsewhere now and then.
//
// A command may be two processes, of which one watches what the other waits for
// (cli/mounts/mount_watch.h). They have one limit.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace kvfs::cli {

// Of --timeout, which every command has that may wait. 0: for ever.
void SetWaitLimit(std::chrono::seconds limit);
std::chrono::seconds WaitLimit();
// What was waited so far counts no more: for work that has got on, or goes round again and again.
void RenewWaits();

// Whether the limit has passed, and with what the words of a failure end then: ", waited 60
// seconds". Nothing where less than a second was waited.
bool IsWaitLimitReached();
std::string WithWaited(std::string text);

// From now on this process and its children count what they wait together.
void ShareWaits();
// Whether another one of them waits at the moment by a Waiting of its own.
bool DoesOtherWait();

class Waiting {
 public:
  // `what` tells what is waited for: a sentence without its end. It is asked once.
  // `waited` is how long that has lasted already.
  explicit Waiting(std::function<std::string()> what, std::chrono::seconds waited = {});
  // Wipes what is left of the countdown.
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // Whether to wait on: not once the limit has passed, nor when this process shall end. Does not
  // sleep. To be called some times a second; the time up to the last call counts as waited.
  bool GoesOn();

 private:
  using Clock = std::chrono::steady_clock;

  void Tell();
  void CountDown(std::chrono::seconds left);

  const std::function<std::string()> what_;
  const std::chrono::nanoseconds before_;  // that this command had waited already
  const Clock::time_point since_;
  const bool is_terminal_;
  bool is_told_ = false;
  bool has_line_ = false;
  Clock::time_point next_;
};

}  // namespace kvfs::cli
