// The process that watches in a command which is two processes: see cli/mounts/mount_watch.h.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "cli/base/descriptor.h"

namespace kvfs::cli {

// Memory shared by the processes of a watch.
struct WatchShared {
  std::atomic<pid_t> child{0};  // -1: it could not be started
  std::atomic<bool> is_parted{false};
  std::atomic<bool> is_closed{false};
};

// The signals that the watcher waits for: they must be blocked.
sigset_t WatchedSignals();

// The watcher. Its child does the work.
class Watch {
 public:
  // Closing `told` makes the keeper exit, and a byte makes it close the child's files before.
  Watch(pid_t keeper, Descriptor told, WatchShared& shared, std::vector<std::string> mounts)
      : child_(shared.child),
        keeper_(keeper),
        told_(std::move(told)),
        shared_(shared),
        mounts_(std::move(mounts)),
        signals_(WatchedSignals()) {}

  // Exits when the child exits. Returns if the child was given up.
  void Run();

 private:
  void Pause();
  bool AwaitSignal(std::chrono::milliseconds time);
  void EndWithChild();
  bool Answers();
  std::string Ask() const;
  void GiveUpChild() const;
  void AwaitKeeper(const std::function<bool()>& is_done) const;

  const pid_t child_;
  const pid_t keeper_;
  Descriptor told_;  // the keeper's orders; its end makes the keeper exit
  WatchShared& shared_;
  const std::vector<std::string> mounts_;
  const sigset_t signals_;
  bool is_told_to_stop_ = false;
};

}  // namespace kvfs::cli
