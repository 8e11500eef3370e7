// The one thing that a handler may do is to set a flag.

#include "cli/interruption.h"

namespace kvfs::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void Note(int) { interrupted = 1; }

void Catch(int signal, struct sigaction* before) {
  ::sigaction(signal, nullptr, before);
  if (before->sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = Note;
  // Without SA_RESTART, so that a read that waits ends.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

Interruption::Interruption() {
  interrupted = 0;
  Catch(SIGINT, &interrupt_before_);
  Catch(SIGTERM, &terminate_before_);
}

Interruption::~Interruption() {
  ::sigaction(SIGINT, &interrupt_before_, nullptr);
  ::sigaction(SIGTERM, &terminate_before_, nullptr);
}

bool IsInterrupted() { return interrupted != 0; }

Result<void> CheckNotInterrupted() {
  if (!IsInterrupted()) return {};
  return Fail(ErrorCode::kRetry, "a signal has ended it");
}

}  // namespace kvfs::cli
