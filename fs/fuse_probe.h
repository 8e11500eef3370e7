// The first open after mounting, made by the server itself.
//
// The server answers OPEN, OPENDIR, FLUSH and the extended attributes' messages with ENOSYS, after
// which the kernel never sends them again. But until the first OPEN was answered, it sends a
// RELEASE for every file it creates. So the server opens a file before anybody else can: one that
// is there for this purpose only, found by its name while the probe lasts, and never listed.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "fs/inode_info.h"

namespace kvfs::fs {

class FuseProbe {
 public:
  // Makes the first open under `mountpoint`, which somebody else must be serving. Returns false if
  // the mount went away meanwhile. Where the server's user may not enter its own mount, the first
  // open is left to somebody who may.
  bool Run(const std::string& mountpoint);

  // Whether a lookup is the probe's own, which is to be answered with Inode().
  bool IsProbe(InodeNumber parent, std::string_view name) const;
  static InodeInfo Inode();

 private:
  std::atomic<bool> is_running_{false};
};

}  // namespace kvfs::fs
