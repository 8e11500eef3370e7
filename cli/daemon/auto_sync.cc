// The store tracks durability: a sync without changes makes no system call.

#include "cli/daemon/auto_sync.h"

namespace kvfs::cli {

AutoSync::AutoSync(Store& store, std::chrono::seconds period) : store_(store), period_(period) {
  if (period_.count() > 0) thread_ = std::thread([this] { Run(); });
}

AutoSync::~AutoSync() {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AutoSync::Run() {
  MutexLock lock(mutex_);
  while (!stopping_.wait_for(mutex_, period_,
                             [this]() KVFS_REQUIRES_LOCK(mutex_) { return is_stopping_; })) {
    lock.unlock();
    const auto synced = store_.Sync();
    lock.lock();
    if (!synced) return;
  }
}

}  // namespace kvfs::cli
