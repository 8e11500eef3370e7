// The first open after mounting, which the server has its agent make.
//
// The server answers OPEN, OPENDIR, FLUSH and the extended attributes' messages with ENOSYS, after
// which the kernel never sends them again. But until the first OPEN was answered, it sends a
// RELEASE for every file it creates. So the server opens a file before anybody else can: one that
// is there for this purpose only, found by its name while the probe lasts, and never listed.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "fs/inode_info.h"

namespace kvfs::fs {

class OpenSuppressor {
 public:
  // Runs `make_first_open`, which has another process call MakeFirstOpen while this one serves, and
  // returns what that does.
  bool Run(const std::function<bool()>& make_first_open);
  // Nothing but system calls that are safe after a fork. False if the mount went away meanwhile.
  // Where the caller may not enter the mount, the first open is left to somebody who may.
  static bool MakeFirstOpen(const char* mountpoint);

  // Whether a lookup is the probe's own, which is to be answered with Inode().
  bool IsProbe(InodeNumber parent, std::string_view name) const;
  static InodeInfo Inode();

 private:
  std::atomic<bool> is_running_{false};
};

}  // namespace kvfs::fs
