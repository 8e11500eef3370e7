// The handlers only set a flag, or write and exit, as little else is async-signal-safe.

#include "cli/base/interruption.h"

#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "cli/base/exit_codes.h"
#include "cli/base/user_message.h"

namespace kvfs::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t are_passed_on = 0;
timespec first_at{};

// A signal that was also sent to this process itself comes within this time.
constexpr int64_t kPassedOnMs = 1'000;

int64_t MsSinceFirst() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - first_at.tv_sec) * 1'000 + (now.tv_nsec - first_at.tv_nsec) / 1'000'000;
}

void Note(int signal) {
  if (interrupted == 0) {
    ::clock_gettime(CLOCK_MONOTONIC, &first_at);
    interrupted = 1;
    return;
  }
  if (are_passed_on != 0 && MsSinceFirst() < kPassedOnMs) return;
  std::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered when this returns
}

std::string_view last_line;

void SayLastWords(int) {
  [[maybe_unused]] const ssize_t ignored =
      ::write(STDERR_FILENO, last_line.data(), last_line.size());
  ::_exit(static_cast<int>(ExitCode::kInterrupted));
}

using Actions = std::array<struct sigaction, kSignals.size()>;

using Handler = void(int);

void Catch(int signal, Handler* handler, struct sigaction* before) {
  ::sigaction(signal, nullptr, before);
  if (before->sa_handler == SIG_IGN) return;
  struct sigaction action {};
  // Without SA_RESTART, so that a blocking read is interrupted.
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

void CatchAll(Handler* handler, Actions& before) {
  for (size_t i = 0; i < kSignals.size(); ++i) Catch(kSignals[i], handler, &before[i]);
}

void Restore(const Actions& before) {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

}  // namespace

Interruption::Interruption() {
  interrupted = 0;
  CatchAll(Note, before_);
}

Interruption::~Interruption() { Restore(before_); }

LastWords::LastWords(std::string_view words) : line_(MessageLine(Severity::kError, words)) {
  last_line = line_;
  CatchAll(SayLastWords, before_);
}

LastWords::~LastWords() { Restore(before_); }

bool IsInterrupted() { return interrupted != 0; }

void TakeSignalsAsPassedOn() { are_passed_on = 1; }

bool IsIgnored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

Result<void> CheckNotInterrupted() {
  if (!IsInterrupted()) return {};
  return Fail(ErrorCode::kCancelled, "interrupted by a signal");
}

}  // namespace kvfs::cli
