// Checks before a mount.

#include "cli/mounts/mount_point.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/base/paths.h"
#include "cli/mounts/lock_file.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/unmounting.h"

namespace kvfs::cli {
namespace {

tl::unexpected<CommandError> Refuse(const std::string& mount_point, std::string_view reason) {
  return Fail(ExitCode::kMountPointBad, fmt::format("cannot mount on {}: {}", mount_point, reason));
}

// A path in another mount whose daemon does not answer is not known to be unsuitable.
tl::unexpected<CommandError> RefuseUnknown(const std::string& path, const Error& error) {
  auto refusal = Refuse(path, error.message);
  if (error.code == ErrorCode::kIo) refusal.value().code = ExitCode::kIoFailed;
  return refusal;
}

CommandResult<> CheckDirectory(const std::string& mount_point, bool nonempty) {
  struct stat status {};
  if (::stat(mount_point.c_str(), &status) != 0) {
    if (errno != ENOENT) return Refuse(mount_point, std::strerror(errno));
    return Refuse(mount_point,
                  fmt::format("there is no such directory; `mkdir {}` makes it", mount_point));
  }
  if (!S_ISDIR(status.st_mode)) return Refuse(mount_point, "it is not a directory");
  // fusermount3 reports this too, but only after the store has been opened.
  if (::geteuid() != 0 && ::access(mount_point.c_str(), W_OK) != 0) {
    return Refuse(mount_point, "users other than root can mount only where they may write");
  }
  if (nonempty) return {};
  std::error_code error;
  const bool empty = std::filesystem::is_empty(mount_point, error);
  if (error) return Refuse(mount_point, error.message());
  if (empty) return {};
  return Refuse(mount_point,
                "the directory is not empty, and a mount would hide its files; choose another, or "
                "give -o nonempty");
}

// The mount's source is the store, unless -o fsname was given; the lock file names the mount point,
// too.
bool IsMountOf(const MountEntry& mount, const std::string& store_path) {
  if (mount.source == store_path) return true;
  const auto holder = ReadHolder(store_path);
  return holder && MountPointOf(*holder) == mount.mount_point;
}

CommandResult<> ClearOldMount(const MountEntry& mount, const std::string& store_path,
                              std::string& told) {
  const std::string& mount_point = mount.mount_point;
  if (LookAtMount(mount_point) != MountHealth::kDead) {
    const auto code = mount.source == store_path ? ExitCode::kStoreInUse : ExitCode::kMountPointBad;
    const auto holder = ReadHolder(mount.source);
    return Fail(code, fmt::format("cannot mount on {0}: the store {1} is mounted there already{2}; "
                                  "`kvfs unmount {0}` removes it",
                                  mount_point, mount.source,
                                  holder ? fmt::format(" by process {}", holder->pid) : ""));
  }
  if (!IsMountOf(mount, store_path)) {
    return Refuse(mount_point, fmt::format("it has the dead mount of another store, {}; `kvfs "
                                           "unmount {}` removes it",
                                           mount.source, mount_point));
  }
  told = fmt::format("removed the mount on {}, whose daemon had died", mount_point);
  return Detach(mount_point, Unmounting::kLazily);
}

}  // namespace

CommandResult<std::string> PrepareMountPoint(const std::string& path, const std::string& store_path,
                                             bool nonempty, std::string& told) {
  const auto resolved = ResolvePlace(path);
  if (!resolved) return RefuseUnknown(path, resolved.error());
  KVFS_ASSIGN(const auto table, ReadMountTable());
  const auto mount = FindMount(table, *resolved);
  if (mount && mount->type == kMountType) {
    const CommandResult<> cleared = ClearOldMount(*mount, store_path, told);
    if (!cleared) return tl::unexpected(cleared.error());
  } else if (const auto answered = AwaitAnswer(*resolved); !answered) {
    return RefuseUnknown(path, answered.error());
  }
  const CommandResult<> usable = CheckApart(*resolved, store_path).and_then([&] {
    return CheckDirectory(*resolved, nonempty);
  });
  if (!usable) return tl::unexpected(usable.error());
  return *resolved;
}

CommandResult<> CheckApart(const std::string& mount_point, const std::string& store_path) {
  if (IsWithin(mount_point, store_path)) {
    return Refuse(mount_point, fmt::format("it lies in the store {}; a mount point must be "
                                           "elsewhere",
                                           store_path));
  }
  if (IsWithin(store_path, mount_point)) {
    return Refuse(mount_point, fmt::format("the store {} lies in it, and would be hidden by its "
                                           "own mount",
                                           store_path));
  }
  return {};
}

}  // namespace kvfs::cli
