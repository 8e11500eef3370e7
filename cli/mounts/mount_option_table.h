// The table of the mount options that are the program's own: a row for each, which parsing, the
// check of a remount and `kvfs mount --help` read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "cli/base/command_result.h"
#include "fs/fuse/mount_options.h"

namespace kvfs::cli {

// An option without a value: its name sets `field` to `value`.
struct FlagOption {
  bool fs::MountOptions::*field;
  bool value = true;
};
// An option whose value is a decimal number within limits.
struct NumberOption {
  unsigned fs::MountOptions::*field;
  unsigned least;
  unsigned most;
};
// The owner or the permissions to show.
struct ShownOption {
  std::optional<uint32_t> fs::ShownOwner::*field;
  unsigned most;
  int base = 10;
};
// An option whose value is a text that is not empty.
struct TextOption {
  std::string fs::MountOptions::*field;
  bool is_file_name = false;
};
// An option without a value that empties a text.
struct NoTextOption {
  std::string fs::MountOptions::*field;
};

struct MountOption {
  std::string_view name;
  std::string_view value;  // as the help calls it; empty: the option has none
  std::variant<FlagOption, NumberOption, ShownOption, TextOption, NoTextOption> effect;
  // A remount may change it. The daemon reads all others at its start only.
  bool is_changeable = false;
};

// In the order of the help.
std::span<const MountOption> MountOptionTable();

// Applies an option, `name` or `name=value` with the value unquoted. False if the table has none of
// this name; kUsage for an invalid value.
CommandResult<bool> ApplyOption(std::string_view name, std::optional<std::string_view> value,
                                fs::MountOptions& options);

// The name of the first option, of those that are fixed at the daemon's start, in which `wanted`
// differs from `now`; empty if there is none.
std::string_view FixedOptionThatDiffers(const fs::MountOptions& now,
                                        const fs::MountOptions& wanted);

}  // namespace kvfs::cli
