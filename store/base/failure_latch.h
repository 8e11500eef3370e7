// A failed write or sync is final: what the disk then holds is not known, and a later sync that
// succeeds proves nothing about it. The store remembers the first failure, refuses changes, and
// goes on reading. Reopening starts again from what is on disk.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <new>
#include <string>
#include <string_view>

#include <kvfs/status.h>
#include "store/base/lock_rank.h"

namespace kvfs {

// A full disk, or a process that lacks something: nothing is wrong with what is stored. Where a
// write that so fails was to a place that nothing refers to yet, it may be made again.
inline bool MayBeRepeated(const Error& error) {
  return error.code == ErrorCode::kNoSpace || error.code == ErrorCode::kUnavailable;
}

class FailureLatch {
 public:
  explicit FailureLatch(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

  // kReadOnly, with the first failure's reason, once there was one.
  Result<void> Check() const {
    if (!failed_.load(std::memory_order_acquire)) return {};
    std::lock_guard lock(mutex_);
    return tl::unexpected(refusal_);
  }

  // Remembers the failure, if it is the first, and returns it.
  tl::unexpected<Error> Fail(std::string_view what, Error error) {
    std::lock_guard lock(mutex_);
    if (!failed_) {
      // Whatever there is no memory for, it has failed.
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
  Error refusal_{};
};

}  // namespace kvfs
