// A separate process that makes system calls on the mount on behalf of the server.
//
// The server must not make them: a process that waits for a reply of its own mount cannot be
// killed, and as long as it lives the kernel keeps the connection open. The agent may wait there.
// It has no descriptor of the connection to the kernel, so when the server dies the connection
// ends, the agent's call fails, and the agent sees that the server is gone and exits.
//
// The agent is forked, and then makes only system calls that are safe after a fork of a program
// with threads.
//
// Threads: requests are safe from many, and run one after another.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include <kvfs/status.h>
#include "store/base/mutex.h"

namespace kvfs::fs {

class FuseAgent {
 public:
  // Call it before the connection to the kernel is opened, which the agent must not inherit. kIo if
  // no process can be started.
  static Result<std::unique_ptr<FuseAgent>> Start();
  // Ends the agent. The mount must be gone, or still be served.
  ~FuseAgent();

  FuseAgent(const FuseAgent&) = delete;
  FuseAgent& operator=(const FuseAgent&) = delete;

  // Makes the first open of a mount; see fs/fuse/open_suppressor.h. False if the mount cannot be
  // used.
  bool Probe(const std::string& mountpoint);
  // Makes the kernel request the attributes of `path`, which were invalidated before. No effect if
  // the path does not exist, or the server's user may not access it. Waits for some seconds at
  // most.
  void Refresh(const std::string& path);
  // Flushes dirty pages of mapped files, which reach the server as messages, and unmounts. Returns
  // 0, or the errno of the failed unmount. Once the descriptor `cancel` is readable, gives up with
  // ECANCELED; the agent is unusable then.
  int FlushAndUnmount(const std::string& mountpoint, int cancel);

 private:
  FuseAgent(pid_t process, int socket) : process_(process), socket_(socket) {}

  // The answer, or an errno. A negative `timeout_ms` means no timeout.
  int Ask(char kind, const std::string& path, int timeout_ms, int cancel = -1);

  const pid_t process_;
  Mutex mutex_;                         // held during a request and its answer
  int socket_ KVFS_GUARDED_BY(mutex_);  // -1 once the agent has failed to answer
};

}  // namespace kvfs::fs
