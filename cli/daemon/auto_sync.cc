// The store tracks durability: a sync without changes makes no system call.

#include "cli/daemon/auto_sync.h"

namespace kvfs::cli {

AutoSync::AutoSync(Store& store, std::chrono::seconds period) : store_(store), period_(period) {
  if (period_.count() > 0) thread_ = std::thread([this] { Run(); });
}

AutoSync::~AutoSync() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AutoSync::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, period_, [this] { return is_stopping_; })) {
    lock.unlock();
    const auto synced = store_.Sync();
    lock.lock();
    if (!synced) return;
  }
}

}  // namespace kvfs::cli
