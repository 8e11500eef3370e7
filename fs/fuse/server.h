// Serves a FileSystem at a mount point: the FUSE session, its threads, and its end.
//
// Life: Mount() makes the mount, Serve() answers the kernel until the file system is unmounted (by
// Stop(), or by anyone with umount or fusermount3), and the destructor unmounts if that has not
// happened yet. The kernel may cache all replies indefinitely: while mounted, the FileSystem must
// be changed only through the mount, or TellChanged called.
//
// Installs no signal handlers; a program's own handler may call Stop().
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <kvfs/status.h>
#include "fs/file_system.h"
#include "fs/fuse/message_counts.h"
#include "fs/fuse/mount_options.h"

namespace kvfs::fs {

// A file of the control directory.
struct ControlSource {
  std::string name;
  std::function<std::string(const MessageCounts& messages)> content;  // called from any thread
};

class FuseServer {
 public:
  // Mounts `file_system`, which must outlive the server, on an existing directory. Nothing is
  // answered before Serve(). `control_files` are those of the control directory.
  // kInvalid for an unknown option; kNotFound or kNotDirectory for the mount point; kPermission;
  // kUnsupported if the system has no FUSE; kIo otherwise: all with the reason.
  static Result<std::unique_ptr<FuseServer>> Mount(
      FileSystem& file_system, const std::string& mount_point, const MountOptions& options,
      const std::vector<ControlSource>& control_files = {});

  // Unmounts if still mounted, lazily if busy. Serve() must have returned or never been called.
  ~FuseServer();

  FuseServer(const FuseServer&) = delete;
  FuseServer& operator=(const FuseServer&) = delete;

  // Answers the kernel until the file system is unmounted. Calls `on_ready`, from another thread,
  // once the mount is usable. Call Serve only once. kIo if the connection to the kernel breaks.
  Result<void> Serve(std::function<void()> on_ready);

  // Requests Serve() to unmount and return: dirty pages of mapped files are flushed first; open
  // files and working directories lose their file system, also in other mount namespaces. A second
  // call stops waiting for the flush. Async-signal-safe, and safe from any thread.
  void Stop();

  // The same, but only if no file is open and no process works in it: Serve() then returns, once
  // other mount namespaces have unmounted it as well. Returns whether it is unmounted. Call it from
  // another thread, while Serve() runs.
  bool UnmountIfIdle();

  // Makes the kernel invalidate its caches after changes that it did not make itself. Returns when
  // done. Never call it from within a call of the file system, nor with a lock held. Safe from any
  // thread.
  void TellChanged(std::span<const ChangedName> changed);

  // Messages that the kernel has sent so far.
  const MessageCounts& message_counts() const;

 private:
  struct Session;
  explicit FuseServer(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
};

}  // namespace kvfs::fs
