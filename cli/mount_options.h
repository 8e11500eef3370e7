// The text after -o of `kvfs mount`, and of a line in /etc/fstab, read by a pure function.
//
// Options are separated by commas; a comma within a value is written as backslash comma, and a
// backslash as two. What only the boot process and mount(8) care for (auto, user, _netdev, nofail,
// x-..., comment=...) is accepted and dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"

namespace kvfs::cli {

struct MountChoices {
  bool read_only = false;
  bool allow_other = false;
  bool nonempty = false;
  bool debug = false;
  bool extended_attributes = true;
  bool access_lists = false;
  bool writeback = false;
  unsigned threads = 0;             // 0: the file system's own choice
  unsigned idle_seconds = 0;        // without use, after which it is unmounted; 0: never
  std::string source;               // shown by mount(8) and df; empty: the store's path
  std::string control = ".kvfs";    // the control directory's name; empty: none
  std::vector<std::string> kernel;  // flags that the kernel handles, as "noexec"

  bool operator==(const MountChoices&) const = default;
};

inline constexpr unsigned kMaxThreads = 256;

// Reads the texts of all -o in order; a later option wins over an earlier one. kUsage for an
// unknown option or a value that makes no sense, with the option in the message.
Answer<MountChoices> ParseMountOptions(const std::vector<std::string>& texts);

}  // namespace kvfs::cli
