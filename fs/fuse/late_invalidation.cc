// One thread, which takes all gathered inodes at once.
#include "fs/fuse/late_invalidation.h"

#include <utility>

namespace kvfs::fs {

void LateInvalidation::Start(fuse_session* session) {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = false;
  }
  thread_ = std::thread([this, session] { Run(session); });
}

void LateInvalidation::Stop() {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LateInvalidation::Add(fuse_ino_t inode) {
  const MutexLock lock(mutex_);
  if (is_stopping_) return;
  inodes_.insert(inode);
  changed_.notify_one();
}

void LateInvalidation::Run(fuse_session* session) {
  MutexLock lock(mutex_);
  while (true) {
    changed_.wait(mutex_,
                  [this]() KVFS_REQUIRES_LOCK(mutex_) { return is_stopping_ || !inodes_.empty(); });
    if (is_stopping_) return;
    const auto inodes = std::exchange(inodes_, {});
    lock.unlock();
    for (const fuse_ino_t inode : inodes) fuse_lowlevel_notify_inval_inode(session, inode, 0, 0);
    lock.lock();
  }
}

}  // namespace kvfs::fs
