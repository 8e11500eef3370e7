// SIGINT and SIGTERM as a wish that long work ends at the next good place, and says how far it got.
//
// The first signal is only noted, and ends a call that waits (EINTR); a second one ends the
// program.
#pragma once

#include <csignal>

#include "store/status.h"

namespace kvfs::cli {

// As long as it lives, signals are noted. One at a time; a signal that was ignored stays so.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  struct sigaction interrupt_before_ {};
  struct sigaction terminate_before_ {};
};

// Whether a signal has come.
bool IsInterrupted();
// kRetry, with words, if one has.
Result<void> CheckNotInterrupted();

}  // namespace kvfs::cli
