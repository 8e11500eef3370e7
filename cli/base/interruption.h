// SIGINT, SIGTERM and SIGHUP as a wish that long work ends at the next good place, and says how far
// it got.
//
// The first signal is only noted, and ends a call that waits (EINTR); a second one ends the
// program.
#pragma once

#include <array>
#include <csignal>
#include <string>
#include <string_view>

#include <kvfs/status.h>

namespace kvfs::cli {

// That ask a program to end.
inline constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// As long as it lives, signals are noted. One at a time; a signal that was ignored stays so.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  std::array<struct sigaction, kSignals.size()> before_{};
};

// For long work that has no such place, and that may stop anywhere: as long as it lives, the first
// signal ends the program at once, with kInterrupted and these words on standard error.
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

// Whether a signal has come.
bool IsInterrupted();
// kRetry, with words, if one has.
Result<void> CheckNotInterrupted();

}  // namespace kvfs::cli
