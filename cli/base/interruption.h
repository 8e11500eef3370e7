// SIGINT, SIGTERM and SIGHUP as a request that long work stop at the next safe point, and report
// how far it got.
//
// The first signal sets a flag, and interrupts a blocking call (EINTR); a second one kills the
// program.
#pragma once

#include <array>
#include <csignal>
#include <string>
#include <string_view>

#include <kvfs/status.h>

namespace kvfs::cli {

// The signals that ask a program to end.
inline constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// While it lives, signals are recorded. Only one may exist at a time; ignored signals stay ignored.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  std::array<struct sigaction, kSignals.size()> before_{};
};

// For long work without safe points that may stop anywhere: while it lives, the first signal ends
// the program at once, with kInterrupted and `words` on standard error.
class LastWords {
 public:
  explicit LastWords(std::string_view words);
  ~LastWords();
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

 private:
  const std::string line_;
  std::array<struct sigaction, kSignals.size()> before_{};
};

// Whether a signal has been received.
bool IsInterrupted();
// From now on another process forwards its signals to this one, which may also receive them
// directly: a second signal counts only if it comes at least a second later.
void TakeSignalsAsPassedOn();
// Whether this process ignores the signal. If it is blocked as well, it is pending nevertheless.
bool IsIgnored(int signal);
// kCancelled, with a message, if one has.
Result<void> CheckNotInterrupted();

}  // namespace kvfs::cli
