// Parses the text after -o of `kvfs mount`, or the options in /etc/fstab. Pure.
//
// Options are separated by commas; a comma within a value is written as backslash comma, and a
// backslash as two, or the value is in double quotes, as for SELinux's contexts. Options that
// concern only the boot process and mount(8) (auto, user, _netdev, nofail, x-..., comment=...), and
// those that are always in effect, are accepted and ignored. Options of mount(8) that kvfs cannot
// honour are refused with the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/base/command_result.h"
#include "fs/fuse/shown_owner.h"

namespace kvfs::cli {

struct MountChoices {
  bool remount = false;  // changes the existing mount
  bool read_only = false;
  bool allow_other = false;
  bool nonempty = false;
  bool debug = false;
  bool extended_attributes = true;
  bool access_lists = false;
  bool writeback = false;
  bool readdir32 = false;           // directory offsets for 32-bit programs
  fs::ShownOwner shown;             // uid, gid, umask
  unsigned threads = 0;             // 0: the file system's own choice
  unsigned idle_seconds = 0;        // unmounts after this time without use; 0: never
  unsigned autosync_seconds = 5;    // makes changes durable after this time; 0: only on request
  std::string source;               // shown by mount(8) and df; empty: the store's path
  std::string control = ".kvfs";    // the control directory's name; empty: none
  std::vector<std::string> kernel;  // flags for the kernel, such as "noexec"

  bool operator==(const MountChoices&) const = default;
};

inline constexpr unsigned kMaxThreads = 256;

// What to do with unknown options: mount -s asks to ignore them.
enum class UnknownOptions { kRefuse, kPassOver };

// Parses the texts of all -o in order; later options override earlier ones. kUsage for an unknown
// option, an invalid value, or contradicting options, with the option in the message.
CommandResult<MountChoices> ParseMountOptions(const std::vector<std::string>& texts,
                                              UnknownOptions unknown = UnknownOptions::kRefuse);

}  // namespace kvfs::cli
