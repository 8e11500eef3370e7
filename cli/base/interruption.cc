// The handlers only set a flag, or write and exit, as little else is async-signal-safe.

#include "cli/base/interruption.h"

#include <unistd.h>

#include "cli/base/exit_codes.h"
#include "cli/base/user_message.h"

namespace kvfs::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;
volatile pid_t only_sender = 0;  // 0: signals of every sender count

bool Counts(const siginfo_t* info) { return only_sender == 0 || info->si_pid == only_sender; }

void Note(int signal, siginfo_t* info, void*) {
  if (!Counts(info)) return;
  if (interrupted == 0) {
    interrupted = 1;
    return;
  }
  std::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered when this returns
}

std::string_view last_line;

void SayLastWords(int, siginfo_t* info, void*) {
  if (!Counts(info)) return;
  [[maybe_unused]] const ssize_t ignored =
      ::write(STDERR_FILENO, last_line.data(), last_line.size());
  ::_exit(static_cast<int>(ExitCode::kInterrupted));
}

using Actions = std::array<struct sigaction, kSignals.size()>;

using Handler = void(int, siginfo_t*, void*);

void Catch(int signal, Handler* handler, struct sigaction* before) {
  ::sigaction(signal, nullptr, before);
  if (before->sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_sigaction = handler;
  // Without SA_RESTART, so that a blocking read is interrupted.
  action.sa_flags = SA_SIGINFO;
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

void CountSignalsOf(pid_t sender) { only_sender = sender; }

bool IsIgnored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

Result<void> CheckNotInterrupted() {
  if (!IsInterrupted()) return {};
  return Fail(ErrorCode::kRetry, "a signal has ended it");
}

}  // namespace kvfs::cli
