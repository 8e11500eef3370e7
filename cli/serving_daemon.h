// The daemon behind a mount, found before the mount goes away, so that its end can be waited for.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/descriptor.h"
#include "cli/lock_file.h"
#include "cli/mount_table.h"

namespace kvfs::cli {

class ServingDaemon {
 public:
  // The process that says in a store's lock file that it serves the mount. Looks at the store that
  // the mount's source names, and, where -o fsname named something else, at the lock files that
  // processes have open. Empty if there is none, or none that the caller may look at.
  static std::optional<ServingDaemon> Find(const MountEntry& mount);

  // The process that serves the store, by its lock file. Empty if there is none.
  static std::optional<ServingDaemon> OfStore(const std::string& store_path);

  pid_t pid() const { return holder_.pid; }
  const std::string& store_path() const { return store_path_; }

  // Whether its mount is there still, as far as this process sees mounts.
  bool IsMounted() const;
  // Waits until the process has let go of the store and ended; calls `on_wait`, if given, once that
  // takes longer than a moment. False if it did not close the store: it was killed, or could not
  // write.
  bool AwaitCleanEnd(const std::function<void()>& on_wait = nullptr) const;

 private:
  ServingDaemon(std::string store_path, StoreHolder holder);
  bool Holds() const;
  bool HasEndedWithin(int milliseconds) const;

  std::string store_path_;
  StoreHolder holder_;
  Descriptor process_;  // a pidfd; none if the process has ended already or cannot be looked at
};

}  // namespace kvfs::cli
