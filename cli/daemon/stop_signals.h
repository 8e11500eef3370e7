// SIGTERM, SIGINT and SIGHUP as a request to end, taken by one thread of its own.
//
// The constructor blocks the signals in the calling thread, so that every thread started later has
// them blocked too: make it before any other thread. Watch() starts the thread that waits for them.
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

  // Calls `stop` for each signal, from now on and for those that have come since the constructor,
  // until EndWatch.
  void Watch(std::function<void()> stop);
  // The signals stay blocked: a daemon that is closing its store is not killed by an impatient
  // second one.
  void EndWatch();

 private:
  void WaitForSignals(const std::function<void()>& stop) const;

  sigset_t signals_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace kvfs::cli
