// A failed write or sync is final: the state of the disk is then unknown, and a later successful
// sync proves nothing about it. The store remembers the first failure and refuses changes; reads go
// on. Reopening starts from what is on disk.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <functional>
#include <new>
#include <string>
#include <string_view>

#include <kvfs/status.h>
#include "store/base/lock_rank.h"

namespace kvfs {

// A full disk, or a process short of resources: the stored data is sound. A write that fails in
// this way to a place that nothing refers to yet may be repeated.
inline bool MayBeRepeated(const Error& error) {
  return error.code == ErrorCode::kNoSpace || error.code == ErrorCode::kUnavailable;
}

class FailureLatch {
 public:
  explicit FailureLatch(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

  // kReadOnly, with the reason of the first failure, if there was one.
  Result<void> Check() const {
    if (!failed_.load(std::memory_order_acquire)) return {};
    const MutexLock lock(mutex_);
    return tl::unexpected(refusal_);
  }

  // Records the failure, if it is the first, and returns it.
  tl::unexpected<Error> Fail(std::string_view what, Error error) {
    const MutexLock lock(mutex_);
    if (!failed_) {
      // The failure counts, even if there is no memory for its text.
      refusal_.code = ErrorCode::kReadOnly;
      try {
        refusal_.message =
            "the store takes no changes since an earlier failure: " + std::string(what) + ": " +
            error.message + "; reopen it to continue from what is on disk";
      } catch (const std::bad_alloc&) {
        refusal_.message = "out of memory";
      }
      failed_.store(true, std::memory_order_release);
      if (log_) log_(refusal_.message);
    }
    return tl::unexpected(std::move(error));
  }

 private:
  const std::function<void(std::string_view)> log_;
  std::atomic<bool> failed_ = false;
  mutable RankedMutex mutex_{LockRank::kFailureLatch};
  Error refusal_ KVFS_GUARDED_BY(mutex_){};
};

}  // namespace kvfs
