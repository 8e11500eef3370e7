// The first failure that leaves the content of an open file in doubt; it is final.
//
// Linux reports a failed writeback once to each open file, and keeps the pages, marked clean: a
// later fdatasync(2) succeeds although they are not on disk. If two threads sync one file at the
// same time, only one gets the error. So the file remembers it: from then on every change and every
// sync fails with that first failure, until the file is reopened.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <utility>

#include <kvfs/status.h>
#include "store/base/mutex.h"

namespace kvfs {

class StickyFailure {
 public:
  // The first failure, if there was one.
  Result<void> Check() const {
    if (!has_failed()) return {};
    const MutexLock lock(mutex_);
    return tl::unexpected(first_);
  }
  bool has_failed() const { return failed_.load(std::memory_order_acquire); }

  // Records the failure, if it is the first, and returns it.
  tl::unexpected<Error> Note(Error error) {
    const MutexLock lock(mutex_);
    if (!has_failed() || first_.message.empty()) first_ = error;
    failed_.store(true, std::memory_order_release);
    return tl::unexpected(std::move(error));
  }
  // The same before there is a message: allocates no memory.
  void Raise(ErrorCode code) noexcept {
    const MutexLock lock(mutex_);
    if (!has_failed()) first_.code = code;
    failed_.store(true, std::memory_order_release);
  }

 private:
  std::atomic<bool> failed_ = false;
  mutable Mutex mutex_;
  Error first_ KVFS_GUARDED_BY(mutex_){ErrorCode::kIo, {}};
};

}  // namespace kvfs
