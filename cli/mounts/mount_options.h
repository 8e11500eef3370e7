// The text after -o of `kvfs mount`, and of a line in /etc/fstab, read by a pure function.
//
// Options are separated by commas; a comma within a value is written as backslash comma, and a
// backslash as two, or the value stands in double quotes, as SELinux's contexts do. What only the
// boot process and mount(8) care for (auto, user, _netdev, nofail, x-..., comment=...), and what is
// true anyway, is accepted and dropped. What mount(8) offers and kvfs cannot keep is refused with
// the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/base/command_result.h"
#include "fs/fuse/shown_owner.h"

namespace kvfs::cli {

struct MountChoices {
  bool remount = false;  // changes the mount that is there
  bool read_only = false;
  bool allow_other = false;
  bool nonempty = false;
  bool debug = false;
  bool extended_attributes = true;
  bool access_lists = false;
  bool writeback = false;
  bool readdir32 = false;           // offsets of directories for programs of 32 bits
  fs::ShownOwner shown;             // uid, gid, umask
  unsigned threads = 0;             // 0: the file system's own choice
  unsigned idle_seconds = 0;        // without use, after which it is unmounted; 0: never
  unsigned autosync_seconds = 5;    // after which a change is made durable; 0: not by itself
  std::string source;               // shown by mount(8) and df; empty: the store's path
  std::string control = ".kvfs";    // the control directory's name; empty: none
  std::vector<std::string> kernel;  // flags that the kernel handles, as "noexec"

  bool operator==(const MountChoices&) const = default;
};

inline constexpr unsigned kMaxThreads = 256;

// What becomes of options that nobody knows: mount -s asks to pass over them.
enum class UnknownOptions { kRefuse, kPassOver };

// Reads the texts of all -o in order; a later option wins over an earlier one. kUsage for an
// unknown option, a value that makes no sense, or options that contradict each other, with the
// option in the message.
CommandResult<MountChoices> ParseMountOptions(const std::vector<std::string>& texts,
                                              UnknownOptions unknown = UnknownOptions::kRefuse);

}  // namespace kvfs::cli
