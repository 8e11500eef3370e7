// `kvfs unmount`: takes the mount away, then waits until its daemon has written everything and
// ended.

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/mount_point.h"
#include "cli/mount_table.h"
#include "cli/paths.h"
#include "cli/serving_daemon.h"

namespace kvfs::cli {
namespace {

constexpr std::chrono::milliseconds kBusyPause{200};

struct UnmountArguments {
  std::string mount_point;
  bool lazily = false;
  bool wait = false;  // until nobody uses it
};

Answer<MountEntry> FindKvfsMount(const std::string& path) {
  const auto resolved = ResolvePath(path);
  if (!resolved) {
    return Stop(ExitCode::kMountPointBad,
                fmt::format("cannot unmount {}: {}", path, resolved.error().message));
  }
  const auto table = ReadMountTable();
  if (!table) return tl::unexpected(table.error());
  const auto mount = FindMount(*table, *resolved);
  if (!mount) {
    return Stop(ExitCode::kMountPointBad,
                fmt::format("cannot unmount {}: nothing is mounted there", *resolved));
  }
  if (mount->type != kMountType) {
    return Stop(ExitCode::kMountPointBad,
                fmt::format("cannot unmount {}: it is a mount of type {}, which umount(8) takes "
                            "away",
                            *resolved, mount->type));
  }
  return *mount;
}

Outcome AwaitEnd(const ServingDaemon& daemon, const std::string& mount_point) {
  // A copy of the mount in another namespace keeps the daemon alive, and cannot be seen from here.
  const auto tell = [&] {
    Tell(Severity::kNotice,
         fmt::format("{} is unmounted here; waiting for its daemon, process {}, which is closing "
                     "the store, or is still mounted in another mount namespace, such as a "
                     "container's: `kill {}` ends it in order",
                     mount_point, daemon.pid(), daemon.pid()));
  };
  if (daemon.AwaitCleanEnd(tell)) return {};
  return Stop(ExitCode::kFlushFailed,
              fmt::format("unmounted {}, but its daemon, process {}, ended without closing the "
                          "store {}: see its log; what was acknowledged comes back when the store "
                          "is opened next",
                          mount_point, daemon.pid(), daemon.store_path()));
}

// Detaches although the mount is busy; the daemon then ends with the last who uses it.
Outcome DetachLazily(const std::string& mount_point) {
  const Outcome detached = Detach(mount_point, Unmounting::kLazily);
  if (detached) {
    Tell(Severity::kNotice,
         fmt::format("{} is detached; its daemon ends with the last process that uses it",
                     mount_point));
  }
  return detached;
}

// Tells once who is in the way, and tries until nobody is.
Outcome DetachPatiently(const std::string& mount_point) {
  bool is_told = false;
  while (true) {
    bool is_busy = false;
    Outcome detached = Detach(mount_point, Unmounting::kOnlyIfIdle, &is_busy);
    if (!is_busy) return detached;
    if (!is_told) Tell(Severity::kNotice, detached.error().text + "; waiting");
    is_told = true;
    std::this_thread::sleep_for(kBusyPause);
  }
}

Outcome Unmount(const UnmountArguments& arguments) {
  const auto mount = FindKvfsMount(arguments.mount_point);
  if (!mount) return tl::unexpected(mount.error());
  const std::string& mount_point = mount->mount_point;
  // This process must not be what keeps the mount busy.
  if (::chdir("/") != 0) return Stop(ExitCode::kIoFailed, "cannot change to the directory /");
  const auto daemon = ServingDaemon::Find(*mount);
  // Nobody can do anything with a dead mount: that it is busy is no reason to keep it.
  const auto how = IsDeadMount(mount_point) ? Unmounting::kLazily : Unmounting::kOnlyIfIdle;
  const bool patiently = arguments.wait && how == Unmounting::kOnlyIfIdle;
  const Outcome detached = patiently ? DetachPatiently(mount_point) : Detach(mount_point, how);
  if (!detached) return arguments.lazily ? DetachLazily(mount_point) : detached;
  if (daemon) return AwaitEnd(*daemon, mount_point);
  Tell(Severity::kWarning,
       fmt::format("unmounted {}; its daemon cannot be found, so that its end was not waited for",
                   mount_point));
  return {};
}

}  // namespace

Runner DefineUnmount(CLI::App& parser) {
  const auto arguments = std::make_shared<UnmountArguments>();
  parser.add_option("MOUNTPOINT", arguments->mount_point, "Where the store is mounted")->required();
  CLI::Option* const lazy =
      parser.add_flag("-z,--lazy", arguments->lazily,
                      "Detach a mount that is in use, without waiting for its daemon");
  parser
      .add_flag("-w,--wait", arguments->wait, "Wait until nobody uses it any more; says who does")
      ->excludes(lazy);
  parser.footer("Example: kvfs unmount ~/kv");
  return [arguments] { return Unmount(*arguments); };
}

}  // namespace kvfs::cli
