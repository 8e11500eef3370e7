// Invalidates stale pages in the kernel's cache, found by a handler, after its reply.
//
// The kernel holds the lock of a page while the WRITE that fills it waits for its reply, and needs
// the same lock to drop the page. So a handler must not request that; a thread that serves no
// messages does.
//
// Threads: Add is safe from many; it has an effect only between Start and Stop.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <thread>
#include <unordered_set>

#include "store/base/mutex.h"

namespace kvfs::fs {

class LateInvalidation {
 public:
  LateInvalidation() = default;
  LateInvalidation(const LateInvalidation&) = delete;
  LateInvalidation& operator=(const LateInvalidation&) = delete;
  ~LateInvalidation() { Stop(); }

  // `session` must outlive Stop().
  void Start(fuse_session* session);
  // Returns once no invalidation is in progress. The connection must still be served, or have
  // ended.
  void Stop();

  // Invalidates attributes and pages of the inode soon.
  void Add(fuse_ino_t inode);

 private:
  void Run(fuse_session* session);

  std::thread thread_;
  Mutex mutex_;
  std::unordered_set<fuse_ino_t> inodes_ KVFS_GUARDED_BY(mutex_);
  bool is_stopping_ KVFS_GUARDED_BY(mutex_) = true;
  ConditionVariable changed_;
};

}  // namespace kvfs::fs
