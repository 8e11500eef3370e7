// The limit is global to the process, like its command line. The time waited is in memory that
// processes may share.

#include "cli/base/waiting.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <new>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/base/terminal.h"
#include "cli/base/user_message.h"

namespace kvfs::cli {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kSilence{1};
constexpr seconds kSeldom{10};
// Longer than any step between two calls of GoesOn().
constexpr seconds kStopped{3};

// Longer than a checkpoint of the maximum dirty memory on a slow, busy disk.
seconds wait_limit{60};
// A Waiting that was not asked for this long is over, or waits for something else.
constexpr std::chrono::milliseconds kAskedLately{1'500};

struct Waits {
  // Time used by all waits so far. A nested wait counts only once.
  std::atomic<nanoseconds> so_far{nanoseconds(0)};
  // The last process that asked whether to keep waiting, and when.
  std::atomic<pid_t> asked_by{0};
  std::atomic<std::chrono::steady_clock::duration> asked_at{};
};
Waits own_waits;
Waits* waits = &own_waits;

// A starting mount blocks signals, so check for pending ones.
bool IsToldToStop() {
  if (IsInterrupted()) return true;
  sigset_t pending;
  sigpending(&pending);
  return std::ranges::any_of(kSignals, [&](int signal) {
    return sigismember(&pending, signal) == 1 && !IsIgnored(signal);
  });
}

}  // namespace

void SetWaitLimit(seconds limit) { wait_limit = limit; }
seconds WaitLimit() { return wait_limit; }
void RenewWaits() { waits->so_far = nanoseconds(0); }

bool IsWaitLimitReached() { return wait_limit > seconds(0) && waits->so_far.load() >= wait_limit; }

std::string WithWaited(std::string text) {
  const auto waited = std::chrono::floor<seconds>(waits->so_far.load()).count();
  if (waited == 0) return text;
  return text + fmt::format(", waited {} second{}", waited, waited == 1 ? "" : "s");
}

void ShareWaits() {
  if (waits != &own_waits) return;
  void* const shared =
      ::mmap(nullptr, sizeof(Waits), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return;  // each has the limit for itself then
  auto* const common = new (shared) Waits;
  common->so_far = waits->so_far.load();
  waits = common;
}

bool DoesOtherWait() {
  const auto ago = std::chrono::steady_clock::now().time_since_epoch() - waits->asked_at.load();
  const pid_t by = waits->asked_by;
  return by != 0 && by != ::getpid() && ago < kAskedLately;
}

Waiting::Waiting(std::function<std::string()> what, seconds waited)
    : what_(std::move(what)),
      before_(waits->so_far.load()),
      since_(Clock::now() - waited),
      asked_(Clock::now()),
      is_terminal_(IsTerminal(STDERR_FILENO)) {}

Waiting::~Waiting() {
  if (has_line_) std::fputs("\r\033[K", stderr);
}

bool Waiting::GoesOn() {
  if (IsToldToStop()) return false;
  const auto now = Clock::now();
  // A process that was stopped has not waited.
  if (now - asked_ > kStopped) since_ += now - asked_;
  asked_ = now;
  waits->so_far = std::max(waits->so_far.load(), before_ + (now - since_));
  waits->asked_at = now.time_since_epoch();
  waits->asked_by = ::getpid();
  const bool is_bounded = wait_limit > seconds(0);
  if (IsWaitLimitReached()) return false;
  if (now - since_ < kSilence) return true;
  if (!std::exchange(is_told_, true)) {
    Tell();
  } else if (is_bounded && now >= next_) {
    CountDown(std::chrono::ceil<seconds>(wait_limit - waits->so_far.load()));
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
