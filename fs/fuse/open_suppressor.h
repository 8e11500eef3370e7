// The first open after mounting, which the server's agent makes.
//
// The server answers OPEN, OPENDIR, FLUSH and messages for extended attributes with ENOSYS, after
// which the kernel never sends them again. But until the first OPEN is answered, it sends a RELEASE
// for every file that it creates. So a file is opened before anyone else can: a special file, which
// can be looked up by name only during this probe, and is never listed.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "fs/inode_info.h"

namespace kvfs::fs {

class OpenSuppressor {
 public:
  // Runs `make_first_open`, which makes another process call MakeFirstOpen while this one serves
  // messages, and returns its result.
  bool Run(const std::function<bool()>& make_first_open);
  // Makes only system calls that are safe after a fork. False if the mount went away meanwhile. If
  // the caller may not access the mount, the first open is left to the first user who may.
  static bool MakeFirstOpen(const char* mountpoint);

  // Whether a lookup is the probe's, and must be answered with Inode().
  bool IsProbe(InodeNumber parent, std::string_view name) const;
  static InodeInfo Inode();

 private:
  std::atomic<bool> is_running_{false};
};

}  // namespace kvfs::fs
