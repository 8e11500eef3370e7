// The kernel's mount table, /proc/self/mountinfo.
//
// A line is
//   36 35 0:51 / /mnt/kv rw,nosuid shared:1 - fuse.kvfs /srv/store rw,user_id=0
// with any number of optional fields before the lone "-". Space, tab, newline and backslash in
// paths are written as a backslash and three octal digits. Malformed lines are skipped. Later lines
// cover earlier ones with the same mount point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/base/command_result.h"

namespace kvfs::cli {

struct MountEntry {
  std::string mount_point;
  std::string type;
  std::string source;
  bool is_read_only = false;  // this mount, or the whole file system
  // The minor device number of a file system without a device; for FUSE it names the connection.
  uint32_t number = 0;
  // The directory of the file system that is visible here: not its root after `mount --bind`.
  std::string root = "/";

  bool operator==(const MountEntry&) const = default;
};

inline constexpr std::string_view kMountType = "fuse.kvfs";

std::vector<MountEntry> ParseMountTable(std::string_view text);
CommandResult<std::vector<MountEntry>> ReadMountTable();

// The mounts of kvfs; and the mount points of mounts.
std::vector<MountEntry> KvfsMounts(const std::vector<MountEntry>& table);
std::vector<std::string> MountPoints(const std::vector<MountEntry>& mounts);

// Whether the path is at, or below, a kvfs mount: accessing it may wait for a daemon.
bool IsServed(const std::vector<MountEntry>& table, std::string_view path);

// The topmost mount at `mount_point`, a path without symbolic links.
std::optional<MountEntry> FindMount(const std::vector<MountEntry>& table,
                                    std::string_view mount_point);

// Whether the mount at `mount_point` is read-only. False if unknown.
bool IsReadOnlyMount(std::string_view mount_point);

// Replaces each \ooo (three octal digits, at most 377) by its byte.
std::string UnescapeMountField(std::string_view field);

}  // namespace kvfs::cli
