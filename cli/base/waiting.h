// Waits for another process, with a time limit, and with a message if it takes long.
//
// The limit is for the whole command: each wait reduces the time left for the next ones.
//
// After a second a message says what is waited for, and for how long at most; later ones show the
// time left: on a terminal every second, in one line, elsewhere occasionally.
//
// A command may be two processes, of which one watches the waits of the other
// (cli/mounts/mount_watch.h). They share one limit.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace kvfs::cli {

// Sets the limit, from --timeout, an option of every command that may wait. 0: no limit.
void SetWaitLimit(std::chrono::seconds limit);
std::chrono::seconds WaitLimit();
// Resets the time waited so far: for work that has made progress, or runs in a loop.
void RenewWaits();

// Whether the limit has passed; and `text` with the time waited at its end: ", waited 60 seconds".
// Waits of less than a second are not mentioned.
bool IsWaitLimitReached();
std::string WithWaited(std::string text);

// From now on this process and its children share the time waited.
void ShareWaits();
// Whether another one of these processes is in a Waiting at the moment.
bool DoesOtherWait();

class Waiting {
 public:
  // `what` returns what is waited for, as a sentence without a full stop; it is called once.
  // `waited` is the time that this wait has already taken.
  explicit Waiting(std::function<std::string()> what, std::chrono::seconds waited = {});
  // Clears the countdown.
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // Whether to go on waiting: not after the limit, nor after a signal to end. Does not sleep. Call
  // it several times a second; the time up to the last call counts as waited.
  bool GoesOn();

 private:
  using Clock = std::chrono::steady_clock;

  void Tell();
  void CountDown(std::chrono::seconds left);

  const std::function<std::string()> what_;
  const std::chrono::nanoseconds before_;  // already waited by this command
  Clock::time_point since_;
  Clock::time_point asked_;  // when GoesOn was called last
  const bool is_terminal_;
  bool is_told_ = false;
  bool has_line_ = false;
  Clock::time_point next_;
};

}  // namespace kvfs::cli
