// The processes that keep a mount busy, with open files, a working directory, a root, a program or
// a mapping below it; found in /proc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvfs::cli {

struct MountUser {
  int pid = 0;
  std::string program;  // its short name
  std::string how;      // "has /mnt/kv/foo open", "works in /mnt/kv"
};

// The processes that the caller may inspect, each with the first way found in which it uses the
// mount.
std::vector<MountUser> FindMountUsers(std::string_view mount_point);

// These processes, and mounts inside, as the end of a sentence: " by process 12 (vim: has
// /mnt/kv/foo open), ..."; says so if none can be seen.
std::string DescribeMountUsers(std::string_view mount_point);

}  // namespace kvfs::cli
