// The daemon behind a mount, found before the mount goes away, so that its end can be waited for.
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
  // The process that says in a store's lock file that it serves the mount. Looks at the store that
  // the mount's source names, and, where -o fsname named something else, at the lock files that
  // processes have open. Where no lock file tells, as of a store that is only read, it is the one
  // that has the mount's connection to the kernel, if the kernel tells that (Linux 6.12). Empty if
  // there is none, or none that the caller may look at.
  static std::optional<DaemonProcess> Find(const MountEntry& mount);

  // The process that serves the store, by its lock file. Empty if there is none.
  static std::optional<DaemonProcess> OfStore(const std::string& store_path);

  pid_t pid() const { return holder_.pid; }
  const std::string& store_path() const { return store_path_; }
  std::string mount_point() const { return MountPointOf(holder_).value_or(""); }

  // Whether its mount is there still, as far as this process sees mounts.
  bool IsMounted() const;
  // Whether it runs, if only in principle: a stopped process does, one that is being ended by a
  // signal, and waits for something yet, does not.
  bool IsAlive() const;
  bool IsStopped() const;

  enum class End {
    kClean,
    kUnclean,  // it did not close the store: it was killed, or could not write
    kNotYet,
  };
  // Waits until the process has let go of the store and ended, as long as `waits_on`, which is
  // called some times a second, says so.
  End AwaitEnd(const std::function<bool()>& waits_on) const;

 private:
  DaemonProcess(std::string store_path, StoreHolder holder);
  bool Holds() const;
  bool HasEnded() const;

  std::string store_path_;
  StoreHolder holder_;
  Descriptor process_;  // a pidfd; none if the process has ended already or cannot be looked at
};

}  // namespace kvfs::cli
