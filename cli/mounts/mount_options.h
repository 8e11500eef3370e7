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
#include "fs/fuse/mount_options.h"

namespace kvfs::cli {

// What to do with unknown options: mount -s asks to ignore them.
enum class UnknownOptions { kRefuse, kPassOver };

// Parses the texts of all -o in order; later options override earlier ones. kUsage for an unknown
// option, an invalid value, or contradicting options, with the option in the message.
CommandResult<fs::MountOptions> ParseMountOptions(const std::vector<std::string>& texts,
                                                  UnknownOptions unknown = UnknownOptions::kRefuse);

}  // namespace kvfs::cli
