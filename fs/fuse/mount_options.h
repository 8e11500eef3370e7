// The options of a mount, and their defaults: those of the file system's server, and those of the
// daemon around it. The command parses them into this struct (cli/mounts/mount_option_table.h has a
// row for each), and each part of the program reads from it what concerns it.
#pragma once

#include <string>
#include <vector>

#include "fs/fuse/shown_owner.h"

namespace kvfs::fs {

struct MountOptions {
  bool read_only = false;
  bool allow_other = false;  // other users may access it; needs root or user_allow_other
  // Shown instead of stored owners and permissions. Not together with access lists, which would
  // contradict it.
  ShownOwner shown = {};
  // Extended attributes. With them the kernel requests a file's capabilities before the first write
  // after each GETATTR, and tools request more; without them it requests nothing. A store that has
  // extended attributes is always mounted with them.
  bool extended_attributes = true;
  // POSIX access control lists, which imply extended attributes: the kernel requests the list once
  // for each inode that anyone but its owner uses.
  bool access_lists = false;
  // Write-back caching: the kernel delays writes to the store. Faster for many small writes into
  // one file, slower for small values; a crash of the daemon loses unsynced data.
  bool writeback = false;
  bool short_offsets = false;     // directory offsets of 31 bits, for 32-bit programs
  unsigned threads = 0;           // serve messages; 0: one for each processor, at most 2
  unsigned idle_seconds = 0;      // unmounts after this time without use; 0: never
  unsigned autosync_seconds = 5;  // makes changes durable after this time; 0: only on request
  std::string source = {};        // shown by mount(8) and df; empty: the store's path
  std::string control = ".kvfs";  // the control directory's name in the root; empty: none
  bool nonempty = false;          // the mount point may hold files
  bool remount = false;           // changes the existing mount
  bool debug = false;             // logs every message to stderr
  std::vector<std::string> kernel = {};  // flags for libfuse and the kernel, such as "noexec"

  bool operator==(const MountOptions&) const = default;
};

}  // namespace kvfs::fs
