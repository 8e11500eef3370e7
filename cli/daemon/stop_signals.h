// SIGTERM, SIGINT and SIGHUP as a request to end, received by a dedicated thread.
//
// The constructor blocks the signals in the calling thread, so that threads started later inherit
// that: construct it before any other thread starts. Watch() starts the thread that waits for the
// signals.
#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace kvfs::cli {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals() { EndWatch(); }

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Calls `stop` for each signal received since the constructor, until EndWatch.
  void Watch(std::function<void()> stop);
  // The signals stay blocked, so that a second one does not kill a daemon that is closing its
  // store.
  void EndWatch();

 private:
  void WaitForSignals(const std::function<void()>& stop) const;

  sigset_t signals_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace kvfs::cli
