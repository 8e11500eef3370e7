// Makes what a mount was given durable by itself, some seconds later at most (-o autosync=SECONDS).
//
// The kernel does not hand sync(2) and syncfs(2) on to a FUSE file system; so without this nothing
// but an fsync, or a checkpoint, makes a change survive the death of the machine.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <kvfs/store.h>

namespace kvfs::cli {

class AutoSync {
 public:
  // Syncs `store`, which must outlive it, that often, from a thread of its own; where nothing has
  // changed that costs nothing. With 0 seconds never. A failure is the store's: it takes no more
  // changes, and has said so.
  AutoSync(Store& store, std::chrono::seconds period);
  ~AutoSync();

  AutoSync(const AutoSync&) = delete;
  AutoSync& operator=(const AutoSync&) = delete;

 private:
  void Run();

  Store& store_;
  const std::chrono::seconds period_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace kvfs::cli
