// Chooses advice by the wording of the reason, which is the only distinction.

#include "cli/mounts/mount_failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace kvfs::cli {
namespace {

ExitCode ExitCodeOfMount(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return ExitCode::kUsage;
    case ErrorCode::kNotFound:
    case ErrorCode::kNotDirectory:
      return ExitCode::kMountPointBad;
    case ErrorCode::kPermission:
    case ErrorCode::kUnsupported:
      return ExitCode::kFuseUnavailable;
    default:
      return ExitCode::kMountFailed;
  }
}

struct Remedy {
  std::string_view words;
  std::string_view remedy;
};
constexpr std::array kRemedies = {
    Remedy{"user_allow_other",
           "; root permits it for all users with the line user_allow_other in /etc/fuse.conf"},
    Remedy{"there is no /dev/fuse",
           "; `modprobe fuse` loads the module, and a container is given the device by --device "
           "/dev/fuse"},
    Remedy{"/dev/fuse: Permission denied",
           "; users other than root need permission to open it: as root, `chmod 666 /dev/fuse`"},
    Remedy{"exec fusermount3",
           "; users other than root mount through this program: install the package fuse3"},
    Remedy{"Operation not permitted",
           "; mounting needs the capability SYS_ADMIN, which a container must be given"},
};

std::string_view RemedyFor(std::string_view reason) {
  for (const Remedy& known : kRemedies) {
    if (reason.find(known.words) != std::string_view::npos) return known.remedy;
  }
  return "";
}

// The kernel only says that something is wrong.
std::string DoubtfulOptions(const fs::MountOptions& options, std::string_view reason) {
  if (reason.find("Invalid argument") == std::string_view::npos) return {};
  for (const std::string& option : options.kernel) {
    if (option.find("context=") == std::string::npos) continue;
    return fmt::format("; does the kernel have SELinux, which the option {} needs?", option);
  }
  return {};
}

}  // namespace

CommandError ExplainMountError(const std::string& store, const std::string& mount_point,
                               const fs::MountOptions& options, const Error& error) {
  // The message below says this already.
  const std::string known = fmt::format("cannot mount at '{}': ", mount_point);
  std::string_view reason = error.message;
  if (reason.starts_with(known)) reason.remove_prefix(known.size());
  return {ExitCodeOfMount(error.code),
          fmt::format("cannot mount {} on {}: {}{}{}", store, mount_point, reason,
                      RemedyFor(reason), DoubtfulOptions(options, reason))};
}

}  // namespace kvfs::cli
