// What can be chosen of a mount.
#pragma once

#include <string>
#include <vector>

namespace kvfs::fs {

struct MountOptions {
  std::string mountpoint;  // an existing directory
  std::string source;      // shown as the file system's name: the absolute path of the store
  bool read_only = false;
  bool allow_other = false;  // other users may enter; needs root or user_allow_other
  // Threads that answer the kernel; 0: as many as processors, at most 2.
  int threads = 0;
  bool debug = false;                // every message to stderr
  std::vector<std::string> options;  // further -o options for libfuse and the kernel
};

}  // namespace kvfs::fs
