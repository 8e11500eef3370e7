// The kernel's mount flags are set all at once. mount(8) passes all flags, from the line in fstab
// or from the current mount. The daemon has read all other options at its start; it is asked for
// them, and differences are refused.
//
// FUSE has no message for a remount. The daemon reads in the mount table whether commands may
// change the store.

#include "cli/daemon/remount.h"

#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "cli/base/paths.h"
#include "cli/client/daemon_connection.h"
#include "cli/client/daemon_process.h"
#include "cli/client/requests.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_option_table.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {
namespace {

struct KernelFlag {
  std::string_view set;
  std::string_view cleared;
  bool is_set;  // unless one of the two is asked for: as libfuse does when it mounts
  unsigned long flag;
};
constexpr KernelFlag kChangeable[] = {
    {"nodev", "dev", true, MS_NODEV},        {"nosuid", "suid", true, MS_NOSUID},
    {"noexec", "exec", false, MS_NOEXEC},    {"sync", "async", false, MS_SYNCHRONOUS},
    {"noatime", "atime", false, MS_NOATIME},
};

bool IsChangeable(std::string_view option) {
  return std::ranges::any_of(kChangeable, [&](const KernelFlag& flag) {
    return option == flag.set || option == flag.cleared;
  });
}

// The kernel's flags that cannot be changed by a remount.
std::vector<std::string> FixedFlags(const fs::MountOptions& options) {
  std::vector<std::string> fixed;
  for (const std::string& option : options.kernel) {
    if (!IsChangeable(option) && std::ranges::find(fixed, option) == fixed.end()) {
      fixed.push_back(option);
    }
  }
  return fixed;
}

unsigned long FlagsFor(const fs::MountOptions& options, bool read_only) {
  unsigned long flags = MS_REMOUNT | (read_only ? MS_RDONLY : 0);
  for (const KernelFlag& flag : kChangeable) {
    bool is_set = flag.is_set;
    for (const std::string& option : options.kernel) {
      if (option == flag.set) is_set = true;
      if (option == flag.cleared) is_set = false;
    }
    if (is_set) flags |= flag.flag;
  }
  // Without an access time flag the kernel would keep the current one.
  return flags & MS_NOATIME ? flags : flags | MS_RELATIME;
}

CommandError ExplainRefusal(const std::string& mount_point, int error_number) {
  if (error_number == EBUSY) {
    return {ExitCode::kMountPointBad,
            fmt::format("cannot remount {} for reading only: files are open for writing; `fuser "
                        "-vm {}` lists who has files open",
                        mount_point, mount_point)};
  }
  if (error_number == EPERM) {
    return {ExitCode::kMountFailed,
            fmt::format("cannot remount {}: only root can; unmount it and mount it again",
                        mount_point)};
  }
  return {ExitCode::kMountFailed,
          fmt::format("cannot remount {}: {}", mount_point, ErrorOfErrno(error_number).message)};
}

// The options with which the mount's daemon was started.
CommandResult<std::vector<std::string>> OptionsOfDaemon(const MountEntry& mount) {
  const auto fail = [&](std::string_view reason) {
    return Fail(ExitCode::kMountFailed,
                fmt::format("cannot remount {}: {}; unmount it and mount it again",
                            mount.mount_point, reason));
  };
  const auto daemon = DaemonProcess::Find(mount);
  if (!daemon) return fail("there is no daemon for it that this user may talk to");
  auto connection = DaemonConnection::Open(daemon->store_path());
  if (!connection) return fail(connection.error().message);
  auto texts = connection->Ask({std::string(request::kOptions)});
  if (!texts) return fail(texts.error().message);
  return *std::move(texts);
}

// The same, among the kernel's flags as well.
std::string FixedChange(const fs::MountOptions& now, const fs::MountOptions& wanted) {
  const std::string_view option = FixedOptionThatDiffers(now, wanted);
  if (!option.empty()) return std::string(option);
  const std::vector<std::string> flags = FixedFlags(now);
  for (const std::string& flag : FixedFlags(wanted)) {
    if (std::ranges::find(flags, flag) == flags.end()) return flag;
  }
  return "";
}

CommandResult<> CheckChanges(const std::string& mount_point, const fs::MountOptions& now,
                             const fs::MountOptions& wanted) {
  const std::string fixed = FixedChange(now, wanted);
  if (!fixed.empty()) {
    return Fail(ExitCode::kUsage,
                fmt::format("mount option {}: it cannot be changed while {} is mounted; unmount it "
                            "and mount it again",
                            fixed, mount_point));
  }
  if (now.read_only && !wanted.read_only) {
    return Fail(ExitCode::kUsage,
                fmt::format("mount option rw: {} was mounted for reading only, and its daemon "
                            "takes no changes; unmount it and mount it again",
                            mount_point));
  }
  return {};
}

}  // namespace

CommandResult<> Remount(const std::string& mount_point, const std::vector<std::string>& texts,
                        UnknownOptions unknown) {
  const auto place = ResolvePlace(mount_point);
  KVFS_ASSIGN(const auto table, ReadMountTable());
  const auto mount = place ? FindMount(table, *place) : std::nullopt;
  if (!mount || mount->type != kMountType) {
    return Fail(ExitCode::kMountPointBad,
                fmt::format("no store is mounted on {}, so nothing can be remounted", mount_point));
  }
  KVFS_ASSIGN(const auto asked, ParseMountOptions(texts, unknown));
  KVFS_ASSIGN(auto options, OptionsOfDaemon(*mount));
  KVFS_ASSIGN(const auto now, ParseMountOptions(options, UnknownOptions::kPassOver));
  options.push_back(mount->is_read_only ? "ro" : "rw");
  options.insert(options.end(), texts.begin(), texts.end());
  KVFS_ASSIGN(const auto wanted, ParseMountOptions(options, UnknownOptions::kPassOver));
  KVFS_TRY(CheckChanges(*place, now, wanted));

  const unsigned long flags = FlagsFor(asked, wanted.read_only);
  if (::mount(mount->source.c_str(), place->c_str(), nullptr, flags, nullptr) != 0) {
    return tl::unexpected(ExplainRefusal(*place, errno));
  }
  return {};
}

}  // namespace kvfs::cli
