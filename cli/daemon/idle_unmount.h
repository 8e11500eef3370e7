// Unmounts a mount that has not been used for some time (-o idle=SECONDS).
//
// Use means requests to the daemon: messages of the kernel, and commands. Requests that the kernel
// answers from its caches do not count. A mount with open files or working directories in it is in
// use.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "store/base/mutex.h"

namespace kvfs::cli {

class IdleUnmount {
 public:
  // `activity` returns a number that grows with each use; `unmount` unmounts unless the mount is in
  // use, and returns whether it did. Both are called from a separate thread. A limit of 0: never.
  IdleUnmount(std::chrono::seconds limit, std::function<uint64_t()> activity,
              std::function<bool()> unmount);
  ~IdleUnmount();

  IdleUnmount(const IdleUnmount&) = delete;
  IdleUnmount& operator=(const IdleUnmount&) = delete;

 private:
  void Watch();

  const std::chrono::seconds limit_;
  const std::function<uint64_t()> activity_;
  const std::function<bool()> unmount_;
  Mutex mutex_;
  ConditionVariable stopping_;
  bool is_stopping_ KVFS_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace kvfs::cli
