// A store in a temporary directory, mounted, for tests that use real tools and system calls.
//
// The server lives in a process of its own, as a daemon's does: a test that waits for a file of the
// mount can then not wait for itself, whatever the server runs into.
//
// Always unmounts: in the destructor, lazily if the mount is busy; when the test's process dies of
// anything else, the server is told and unmounts; and the mount is in a mount namespace that ends
// with both (where the test may make one, as root can).
//
// Mounting forks: the test must not have started threads of its own that hold locks then.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "fs/file_system.h"
#include "fs/fuse/mount_options.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {

class Mounted {
 public:
  // Why nothing can be mounted here; empty if it can.
  static std::string Obstacle();

  // Creates the store and mounts it. Ends the program if that fails.
  explicit Mounted(fs::MountOptions options = {});
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  ~Mounted();

  // The mount point, or a path under it.
  std::string Path(const std::string& name = {}) const;

  // Asks the server to end.
  void Stop();
  // Waits until the server has ended, whoever ended it. Returns whether neither it nor closing the
  // store has met an error.
  bool AwaitEnd();
  // Unmounts, closes the store, opens and mounts it again.
  void Remount();
  // The same, with other options (its mount point and source stay).
  void RemountWith(fs::MountOptions options);
  // The same, and in between `work` is done with the file system in this process.
  void RemountAfter(const std::function<void(fs::FileSystem&)>& work);
  // The same, but the server is killed instead of being asked to end.
  void KillAndRemount();

  struct Outcome {
    int status = 0;
    std::string output;  // stdout and stderr
  };
  // Runs a shell script that stops at the first error. $M is the mount point; the working
  // directory is $S, on an ordinary file system.
  Outcome Run(const std::string& script) const;

  // How many messages of each kind, but forgets, came since the last call (or the mounting). Waits
  // until no more come.
  std::map<std::string, uint64_t> TakeMessages();
  // Entries in the store; and inodes that the kernel refers to.
  uint64_t CountEntries();
  uint64_t CountReferencedInodes();
  // The server's process.
  pid_t server() const { return server_; }
  // Of that process, as far as it is not shared with files: heap and stacks.
  uint64_t ServerMemoryBytes() const;

 private:
  void Start();
  void Unmount();
  // What the server's process tells of itself.
  struct Report;
  Report Ask();
  std::map<std::string, uint64_t> CountMessages();

  TemporaryDirectory directory_;
  std::string mountpoint_, store_path_, scratch_;
  fs::MountOptions options_;
  pid_t server_ = 0;  // 0: none
  int socket_ = -1;   // to the server's process
  std::map<std::string, uint64_t> taken_;
};

}  // namespace kvfs
