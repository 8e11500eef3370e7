// The daemon behind a mount, identified before the mount disappears, so that its end can be
// awaited.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/base/descriptor.h"
#include "cli/mounts/lock_file.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

class DaemonProcess {
 public:
  // Finds the process whose text in a store's lock file says that it serves the mount. The store is
  // the mount's source; if -o fsname replaced that, the lock files that processes have open are
  // searched. If no lock file tells, for example because the store is only read, it is the process
  // that holds the mount's connection to the kernel, where the kernel reports that (Linux 6.12).
  // Empty if there is none, or the caller may not look at it.
  static std::optional<DaemonProcess> Find(const MountEntry& mount);

  // The process that serves the store according to its lock file. Empty if there is none.
  static std::optional<DaemonProcess> OfStore(const std::string& store_path);

  pid_t pid() const { return holder_.pid; }
  const std::string& store_path() const { return store_path_; }
  std::string mount_point() const { return MountPointOf(holder_).value_or(""); }

  // Whether its mount still exists, as far as this process sees mounts.
  bool IsMounted() const;
  // Whether it will run again: true for a stopped process, false for one that a signal is ending,
  // even if it still waits in the kernel.
  bool IsAlive() const;
  bool IsStopped() const;

  enum class End {
    kClean,
    kUnclean,  // it did not close the store: it was killed, or a write failed
    kNotYet,
  };
  // Waits until the process has released the store and ended, or until `waits_on`, which is called
  // several times a second, returns false.
  End AwaitEnd(const std::function<bool()>& waits_on) const;

 private:
  DaemonProcess(std::string store_path, StoreHolder holder);
  bool Holds() const;
  bool HasEnded() const;

  std::string store_path_;
  StoreHolder holder_;
  Descriptor process_;  // a pidfd; none if the process has ended or is not accessible
};

}  // namespace kvfs::cli
