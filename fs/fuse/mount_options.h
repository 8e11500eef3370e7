// The options of a mount.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fs/fuse/message_counts.h"
#include "fs/fuse/shown_owner.h"

namespace kvfs::fs {

struct ControlSource {
  std::string name;
  std::function<std::string(const MessageCounts& messages)> content;  // called from any thread
};

struct MountOptions {
  std::string mountpoint;  // an existing directory
  std::string source;      // shown as the mount's source: the store's absolute path
  bool read_only = false;
  bool allow_other = false;  // other users may access it; needs root or user_allow_other
  // Shown instead of stored owners and permissions. Not together with access lists, which would
  // contradict it.
  ShownOwner shown;
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
  // Number of threads that serve messages; 0: one for each processor, at most 2.
  int threads = 0;
  bool debug = false;                // logs every message to stderr
  std::vector<std::string> options;  // further -o options for libfuse and the kernel
  // The control directory's name in the root, and its files. With an empty name there is none.
  std::string control_name;
  std::vector<ControlSource> control_files;
};

}  // namespace kvfs::fs
