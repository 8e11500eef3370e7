// Checks before a mount, and unmounting.

#include "cli/mount_point.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/lock_file.h"
#include "cli/mount_users.h"
#include "cli/paths.h"
#include "cli/subprocess.h"

namespace kvfs::cli {
namespace {

tl::unexpected<Failure> Refuse(const std::string& mount_point, std::string_view reason) {
  return Stop(ExitCode::kMountPointBad, fmt::format("cannot mount on {}: {}", mount_point, reason));
}

Outcome CheckDirectory(const std::string& mount_point, bool nonempty) {
  struct stat status {};
  if (::stat(mount_point.c_str(), &status) != 0) {
    if (errno != ENOENT) return Refuse(mount_point, std::strerror(errno));
    return Refuse(mount_point,
                  fmt::format("there is no such directory; `mkdir {}` makes it", mount_point));
  }
  if (!S_ISDIR(status.st_mode)) return Refuse(mount_point, "it is not a directory");
  // fusermount3 says so too, but only once the store is open.
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

// The mount's source names the store, unless -o fsname said something else; the lock file does too.
bool IsMountOf(const MountEntry& mount, const std::string& store_path) {
  if (mount.source == store_path) return true;
  const auto holder = ReadHolder(store_path);
  return holder && MountPointOf(*holder) == mount.mount_point;
}

Outcome ClearOldMount(const MountEntry& mount, const std::string& store_path, std::string& told) {
  const std::string& mount_point = mount.mount_point;
  if (!IsDeadMount(mount_point)) {
    const auto code = mount.source == store_path ? ExitCode::kStoreInUse : ExitCode::kMountPointBad;
    const auto holder = ReadHolder(mount.source);
    return Stop(code, fmt::format("cannot mount on {0}: the store {1} is mounted there already{2}; "
                                  "`kvfs unmount {0}` takes it away",
                                  mount_point, mount.source,
                                  holder ? fmt::format(" by process {}", holder->pid) : ""));
  }
  if (!IsMountOf(mount, store_path)) {
    return Refuse(mount_point, fmt::format("it has the dead mount of another store, {}; `kvfs "
                                           "unmount {}` takes it away",
                                           mount.source, mount_point));
  }
  told = fmt::format("took away the mount on {} whose daemon had died", mount_point);
  return Detach(mount_point, Unmounting::kLazily);
}

std::string ExplainBusy(const std::string& mount_point) {
  return fmt::format("cannot unmount {}: it is in use{}; end that, or give --wait or --lazy",
                     mount_point, DescribeMountUsers(mount_point));
}

Outcome DetachAsRoot(const std::string& mount_point, Unmounting how, bool& is_busy) {
  const int flags = UMOUNT_NOFOLLOW | (how == Unmounting::kLazily ? MNT_DETACH : 0);
  if (::umount2(mount_point.c_str(), flags) == 0) return {};
  const int reason = errno;
  is_busy = reason == EBUSY;
  return Stop(ExitCode::kMountPointBad,
              is_busy ? ExplainBusy(mount_point)
                      : fmt::format("cannot unmount {}: {}", mount_point, std::strerror(reason)));
}

Outcome DetachAsUser(const std::string& mount_point, Unmounting how, bool& is_busy) {
  std::vector<std::string> command = {"fusermount3", "-u"};
  if (how == Unmounting::kLazily) command.emplace_back("-z");
  command.insert(command.end(), {"--", mount_point});
  const Subprocess result = RunProgram(command);
  if (!result.started) {
    return Stop(ExitCode::kFuseUnavailable,
                "cannot run fusermount3, which unmounts for users other than root; install the "
                "package fuse3");
  }
  if (result.exit_status == 0) return {};
  is_busy = result.messages.find(std::strerror(EBUSY)) != std::string::npos;
  return Stop(ExitCode::kMountPointBad,
              is_busy ? ExplainBusy(mount_point)
                      : fmt::format("cannot unmount {}: {}", mount_point, result.messages));
}

}  // namespace

bool IsDeadMount(const std::string& mount_point) {
  // Not stat: the kernel may answer that from what it remembers.
  struct statfs status {};
  return ::statfs(mount_point.c_str(), &status) != 0 && errno == ENOTCONN;
}

Answer<std::string> PrepareMountPoint(const std::string& path, const std::string& store_path,
                                      bool nonempty, std::string& told) {
  const auto resolved = ResolvePath(path);
  if (!resolved) return Refuse(path, resolved.error().message);
  const auto table = ReadMountTable();
  if (!table) return tl::unexpected(table.error());
  const auto mount = FindMount(*table, *resolved);
  if (mount && mount->type == kMountType) {
    const Outcome cleared = ClearOldMount(*mount, store_path, told);
    if (!cleared) return tl::unexpected(cleared.error());
  }
  const Outcome usable = CheckApart(*resolved, store_path).and_then([&] {
    return CheckDirectory(*resolved, nonempty);
  });
  if (!usable) return tl::unexpected(usable.error());
  return *resolved;
}

Outcome CheckApart(const std::string& mount_point, const std::string& store_path) {
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

Outcome Detach(const std::string& mount_point, Unmounting how, bool* is_busy) {
  bool unasked = false;
  bool& busy = is_busy == nullptr ? unasked : *is_busy;
  busy = false;
  return ::geteuid() == 0 ? DetachAsRoot(mount_point, how, busy)
                          : DetachAsUser(mount_point, how, busy);
}

}  // namespace kvfs::cli
