// A FileSystem at a mount point: the FUSE session, its threads, and its end.
//
// Life: Mount() makes the mount, Serve() answers the kernel until the file system is unmounted (by
// Stop(), or by anybody with umount or fusermount3), the destructor unmounts if that has not
// happened yet. The kernel may remember all that it is told for as long as it likes: the FileSystem
// must not be changed but through the mount while it is mounted.
//
// No signal handlers are installed; a program's own handler may call Stop().
#pragma once

#include <functional>
#include <memory>
#include <span>

#include <kvfs/status.h>
#include "fs/file_system.h"
#include "fs/fuse/message_counts.h"
#include "fs/fuse/mount_options.h"

namespace kvfs::fs {

class FuseServer {
 public:
  // Mounts `file_system`, which must outlive the server. Nothing is answered before Serve().
  // kInvalid for an option nobody knows; kNotFound or kNotDirectory for the mount point;
  // kPermission; kUnsupported if the system has no FUSE; kIo otherwise: all with the reason.
  static Result<std::unique_ptr<FuseServer>> Mount(FileSystem& file_system,
                                                   const MountOptions& options);

  // Unmounts if still mounted, lazily if it is busy. Serve() must have returned or never been
  // called.
  ~FuseServer();

  FuseServer(const FuseServer&) = delete;
  FuseServer& operator=(const FuseServer&) = delete;

  // Answers the kernel until the file system is unmounted. Calls `on_ready`, from another thread,
  // once the mount can be used. Call it once only. kIo if the connection to the kernel breaks.
  Result<void> Serve(std::function<void()> on_ready);

  // Asks Serve() to unmount and return: dirty pages of mapped files are written first; open files
  // and working directories lose their file system, also in other mount namespaces. Asked a second
  // time it does not wait for what is to be written any more. Async-signal-safe, and safe from any
  // thread.
  void Stop();

  // The same, but only where no file is open and nobody works in it: then Serve() returns, once
  // other mount namespaces have given it up as well. Whether it is unmounted. From a thread of the
  // caller's, while Serve() runs.
  bool UnmountIfIdle();

  // Tells the kernel of changes that were made beside it, so that it asks anew. Returns once it
  // knows. Never from within a call of the file system, nor holding a lock. Safe from any thread.
  void TellChanged(std::span<const ChangedName> changed);

  // Messages that the kernel has sent so far.
  const MessageCounts& message_counts() const;

 private:
  struct Session;
  explicit FuseServer(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
};

}  // namespace kvfs::fs
