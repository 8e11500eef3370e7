// What can be chosen of a mount.
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
  std::string source;      // shown as the file system's name: the absolute path of the store
  bool read_only = false;
  bool allow_other = false;  // other users may enter; needs root or user_allow_other
  // Shown in place of stored owners and permissions. Not together with access lists, which would
  // say something else.
  ShownOwner shown;
  // Extended attributes. The kernel then asks for a file's capabilities before the first write
  // after each look at its attributes, and tools ask for more; without, it asks for nothing. A
  // store that has extended attributes is always mounted with them.
  bool extended_attributes = true;
  // POSIX access control lists, which imply extended attributes: the kernel asks for a list once
  // for each inode that somebody but its owner uses.
  bool access_lists = false;
  // The kernel keeps what is written for a while before the store gets it: faster for many small
  // writes into one file, slower for small values, and the death of the daemon loses what has not
  // been synced.
  bool writeback = false;
  // Threads that answer the kernel; 0: as many as processors, at most 2.
  int threads = 0;
  bool debug = false;                // every message to stderr
  std::vector<std::string> options;  // further -o options for libfuse and the kernel
  // The control directory's name in the root, and its files. An empty name: there is none.
  std::string control_name;
  std::vector<ControlSource> control_files;
};

}  // namespace kvfs::fs
