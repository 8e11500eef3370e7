// Ends a mount that nobody has used for some time (-o idle=SECONDS).
//
// Use is what reaches the daemon: messages of the kernel, and commands. What the kernel answers
// from its own memory is not seen. A mount with open files or working directories in it is in use.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace kvfs::cli {

class IdleUnmount {
 public:
  // `activity` grows with each use; `unmount` does it, and tells whether nobody was in it. Both are
  // called from a thread of its own. With 0 seconds nothing is ever unmounted.
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
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace kvfs::cli
