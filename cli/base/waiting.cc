// The limit is global to the process, like its command line.

#include "cli/base/waiting.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/base/user_message.h"

namespace kvfs::cli {
namespace {

using std::chrono::seconds;

constexpr seconds kSilence{1};
constexpr seconds kSeldom{10};

// Longer than a checkpoint of the maximum dirty memory on a slow, busy disk.
seconds wait_limit{60};
// Time used by all waits so far. A nested wait counts only once.
std::chrono::nanoseconds waited_so_far{0};

// A starting mount blocks signals, so check for pending ones.
bool IsToldToStop() {
  if (IsInterrupted()) return true;
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
         sigismember(&pending, SIGHUP) == 1;
}

}  // namespace

void SetWaitLimit(seconds limit) { wait_limit = limit; }
seconds WaitLimit() { return wait_limit; }
void RenewWaits() { waited_so_far = {}; }

Waiting::Waiting(std::function<std::string()> what, seconds waited)
    : what_(std::move(what)),
      before_(waited_so_far),
      since_(Clock::now() - waited),
      is_terminal_(::isatty(STDERR_FILENO) == 1) {}

Waiting::~Waiting() {
  if (has_line_) std::fputs("\r\033[K", stderr);
}

bool Waiting::GoesOn() {
  if (IsToldToStop()) return false;
  const auto now = Clock::now();
  waited_so_far = std::max(waited_so_far, before_ + (now - since_));
  const bool is_bounded = wait_limit > seconds(0);
  if (is_bounded && waited_so_far >= wait_limit) return false;
  if (now - since_ < kSilence) return true;
  if (!std::exchange(is_told_, true)) {
    Tell();
  } else if (is_bounded && now >= next_) {
    CountDown(std::chrono::ceil<seconds>(wait_limit - waited_so_far));
  }
  return true;
}

void Waiting::Tell() {
  const auto most = std::chrono::ceil<seconds>(wait_limit - before_);
  const std::string limit =
      wait_limit > seconds(0) ? fmt::format(", {} seconds at most", most.count()) : "";
  kvfs::cli::Tell(Severity::kNotice, fmt::format("{}; waiting{}", what_(), limit));
  next_ = Clock::now() + (is_terminal_ ? seconds(1) : kSeldom);
}

void Waiting::CountDown(seconds left) {
  next_ = Clock::now() + (is_terminal_ ? seconds(1) : kSeldom);
  if (is_terminal_) {
    fmt::print(stderr, "\rkvfs: {} seconds left\033[K", left.count());
    std::fflush(stderr);
    has_line_ = true;
  } else {
    kvfs::cli::Tell(Severity::kNotice, fmt::format("waiting, {} seconds left", left.count()));
  }
}

}  // namespace kvfs::cli
