// sigwait in a loop; EndWatch ends it with a signal to this thread only.

#include "cli/daemon/stop_signals.h"

#include <pthread.h>

namespace kvfs::cli {
namespace {

// nohup(1) ignores SIGHUP, to survive the end of the terminal.
bool IsIgnored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

StopSignals::StopSignals() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGTERM);
  ::sigaddset(&signals_, SIGINT);
  if (!IsIgnored(SIGHUP)) ::sigaddset(&signals_, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void StopSignals::EndWatch() {
  if (!thread_.joinable()) return;
  ended_ = true;
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void StopSignals::Watch(std::function<void()> stop) {
  thread_ = std::thread([this, stop = std::move(stop)] { WaitForSignals(stop); });
}

void StopSignals::WaitForSignals(const std::function<void()>& stop) const {
  while (true) {
    int signal = 0;
    if (::sigwait(&signals_, &signal) != 0) continue;
    if (ended_) return;
    stop();
  }
}

}  // namespace kvfs::cli
