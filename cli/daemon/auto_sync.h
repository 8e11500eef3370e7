// Makes a mount's changes durable automatically, after some seconds at most (-o autosync=SECONDS).
//
// The kernel does not pass sync(2) and syncfs(2) on to a FUSE file system; so without this only an
// fsync, or a checkpoint, makes a change survive power loss.
#pragma once

#include <chrono>
#include <thread>

#include <kvfs/store.h>
#include "store/base/mutex.h"

namespace kvfs::cli {

class AutoSync {
 public:
  // Syncs `store`, which must outlive it, once in each `period`, from a separate thread; free if
  // nothing has changed. A period of 0: never. Failures are handled by the store: it logs them and
  // refuses further changes.
  AutoSync(Store& store, std::chrono::seconds period);
  ~AutoSync();

  AutoSync(const AutoSync&) = delete;
  AutoSync& operator=(const AutoSync&) = delete;

 private:
  void Run();

  Store& store_;
  const std::chrono::seconds period_;
  Mutex mutex_;
  ConditionVariable stopping_;
  bool is_stopping_ KVFS_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace kvfs::cli
