// Checks several times within the limit, so that it is exceeded by a quarter at most.

#include "cli/daemon/idle_unmount.h"

#include <utility>

namespace kvfs::cli {

using std::chrono::steady_clock;

IdleUnmount::IdleUnmount(std::chrono::seconds limit, std::function<uint64_t()> activity,
                         std::function<bool()> unmount)
    : limit_(limit), activity_(std::move(activity)), unmount_(std::move(unmount)) {
  if (limit_.count() > 0) thread_ = std::thread([this] { Watch(); });
}

IdleUnmount::~IdleUnmount() {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void IdleUnmount::Watch() {
  uint64_t seen = activity_();
  auto since = steady_clock::now();
  MutexLock lock(mutex_);
  while (!stopping_.wait_for(mutex_, std::chrono::milliseconds(limit_) / 4,
                             [this]() KVFS_REQUIRES_LOCK(mutex_) { return is_stopping_; })) {
    const uint64_t now = activity_();
    if (now != seen) {
      seen = now;
      since = steady_clock::now();
    }
    if (steady_clock::now() - since < limit_) continue;
    lock.unlock();
    // If the mount is in use after all, the time starts again.
    const bool is_done = unmount_();
    lock.lock();
    if (is_done) return;
    seen = activity_();
    since = steady_clock::now();
  }
}

}  // namespace kvfs::cli
