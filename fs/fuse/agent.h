// A process of its own that calls into the mount on behalf of the server.
//
// The server must not: a process that waits for an answer of its own mount cannot be killed while
// it waits, and as long as it lives the kernel goes on waiting for it. The agent can wait there. It
// has no descriptor of the connection to the kernel, so when the server dies the connection ends,
// the agent's call fails, and the agent finds that the server is gone and ends, too.
//
// The agent is forked, and from then on does nothing but system calls that are safe after a fork of
// a program with threads.
//
// Threads: requests are safe from many, and are carried out one after another.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>

#include <kvfs/status.h>

namespace kvfs::fs {

class FuseAgent {
 public:
  // To be called before the connection to the kernel is opened, which the agent must not inherit.
  // kIo if there can be no further process.
  static Result<std::unique_ptr<FuseAgent>> Start();
  // Ends the process. The mount must be gone, or still be served.
  ~FuseAgent();

  FuseAgent(const FuseAgent&) = delete;
  FuseAgent& operator=(const FuseAgent&) = delete;

  // Makes the first open of a mount; see fs/fuse/open_suppressor.h. False if the mount cannot be
  // used.
  bool Probe(const std::string& mountpoint);
  // Has the kernel ask for the attributes of what lies at `path`, which it has forgotten. Without
  // effect where the path leads nowhere, or the server's user may not follow it. Waits for some
  // seconds at most.
  void Refresh(const std::string& path);
  // Writes dirty pages of mapped files, which come to the server as messages, and unmounts. Returns
  // 0, or the errno of why it is still mounted.
  // Gives up, with ECANCELED, and is of no more use then, once `cancel` can be read.
  int FlushAndUnmount(const std::string& mountpoint, int cancel);

 private:
  FuseAgent(pid_t process, int socket) : process_(process), socket_(socket) {}

  // The answer, or an errno. Below 0 `timeout_ms` is without end.
  int Ask(char kind, const std::string& path, int timeout_ms, int cancel = -1);

  const pid_t process_;
  std::mutex mutex_;  // guards the following, and is held for a request and its answer
  int socket_;        // -1 once the agent has not answered
};

}  // namespace kvfs::fs
