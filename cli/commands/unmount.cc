// `kvfs unmount`: unmounts, then waits until the daemon has written everything and ended. Every
// wait is announced and has a limit (cli/base/waiting.h).

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "cli/base/user_message.h"
#include "cli/base/waiting.h"
#include "cli/client/daemon_process.h"
#include "cli/commands/command.h"
#include "cli/commands/daemon_end.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"
#include "cli/mounts/unmounting.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBusyPause{200};
// A daemon whose connection was aborted has usually closed the store within this time.
constexpr milliseconds kMoment{1'000};

struct UnmountArguments {
  std::string mount_point;
  bool lazily = false;
  bool by_force = false;
  bool wait = false;  // until the mount is idle
};

CommandResult<MountEntry> FindKvfsMount(const std::string& path) {
  const auto resolved = ResolvePlace(path);
  if (!resolved) {
    const bool is_unknown = resolved.error().code == ErrorCode::kIo;
    return Fail(is_unknown ? ExitCode::kIoFailed : ExitCode::kMountPointBad,
                fmt::format("cannot unmount {}: {}", path, resolved.error().message));
  }
  KVFS_ASSIGN(const auto table, ReadMountTable());
  const auto mount = FindMount(table, *resolved);
  if (!mount) {
    return Fail(ExitCode::kMountPointBad,
                fmt::format("cannot unmount {}: nothing is mounted there", *resolved));
  }
  if (mount->type != kMountType) {
    return Fail(ExitCode::kMountPointBad,
                fmt::format("cannot unmount {}: it is a mount of type {}, which umount(8) removes",
                            *resolved, mount->type));
  }
  return *mount;
}

// Detaches a busy mount; the daemon ends with the last process that uses it.
CommandResult<> DetachLazily(const std::string& mount_point) {
  const CommandResult<> detached = Detach(mount_point, Unmounting::kLazily);
  if (detached) {
    Tell(Severity::kNotice,
         fmt::format("{} is detached; its daemon ends with the last process that uses it",
                     mount_point));
  }
  return detached;
}

// Names the processes that use the mount, and retries until there are none.
CommandResult<> DetachPatiently(const std::string& mount_point) {
  CommandResult<> detached;
  Waiting waiting([&] { return detached.error().text; });
  while (true) {
    bool is_busy = false;
    detached = Detach(mount_point, Unmounting::kOnlyIfIdle, &is_busy);
    if (!is_busy || !waiting.GoesOn()) return detached;
    std::this_thread::sleep_for(kBusyPause);
  }
}

bool IsStillThere(const MountEntry& mount) {
  const auto table = ReadMountTable();
  const auto now = table ? FindMount(*table, mount.mount_point) : std::nullopt;
  return now && now->type == kMountType && now->number == mount.number;
}

// Processes that use the mount get errors from now on. Waits for a short time only.
CommandResult<> UnmountByForce(const MountEntry& mount,
                               const std::optional<DaemonProcess>& daemon) {
  const CommandResult<> cut = CutOff(mount);
  if (!cut) return cut;
  if (IsStillThere(mount)) {
    KVFS_TRY(Detach(mount.mount_point, Unmounting::kLazily));
  }
  if (!daemon) return {};
  const auto end = steady_clock::now() + kMoment;
  switch (daemon->AwaitEnd([end] { return steady_clock::now() < end; })) {
    case DaemonProcess::End::kClean:
      return {};
    case DaemonProcess::End::kUnclean:
      return ExplainUncleanEnd(*daemon, mount.mount_point);
    case DaemonProcess::End::kNotYet:
      break;
  }
  Tell(
      Severity::kWarning,
      fmt::format("{} is cut off and unmounted; its daemon, process {}, still holds the store {}{}",
                  mount.mount_point, daemon->pid(), daemon->store_path(),
                  daemon->IsStopped() ? ", and is stopped: `kill -CONT` lets it close the store"
                                      : ", and is closing it"));
  return {};
}

CommandResult<> ExplainSilence(const std::string& mount_point,
                               const std::optional<DaemonProcess>& daemon) {
  const bool is_stopped = daemon && daemon->IsStopped();
  return Fail(ExitCode::kIoFailed,
              fmt::format("cannot unmount {0}: its daemon{1} {2}; `kvfs unmount --force {0}` cuts "
                          "it off, and unsynced writes to memory mappings are lost",
                          mount_point, daemon ? fmt::format(", process {},", daemon->pid()) : "",
                          is_stopped ? "is stopped (`kill -CONT` resumes it)" : "does not answer"));
}

// A dead mount is useless, so it is detached even if it is busy.
CommandResult<> UnmountDead(const MountEntry& mount, const std::optional<DaemonProcess>& daemon) {
  // Usually the connection has ended with the daemon.
  static_cast<void>(CutOff(mount));
  if (IsStillThere(mount)) {
    KVFS_TRY(Detach(mount.mount_point, Unmounting::kLazily));
  }
  if (daemon) return AwaitEnd(*daemon, mount);
  return ExplainUnknownEnd(mount, "whose daemon had died");
}

CommandResult<> UnmountAlive(const UnmountArguments& arguments, const MountEntry& mount,
                             const std::optional<DaemonProcess>& daemon) {
  const std::string& mount_point = mount.mount_point;
  KVFS_TRY(arguments.wait ? DetachPatiently(mount_point)
                          : Detach(mount_point, Unmounting::kOnlyIfIdle));
  return AwaitEndOfAny(daemon, mount);
}

CommandResult<> Unmount(const UnmountArguments& arguments) {
  const auto mount = FindKvfsMount(arguments.mount_point);
  if (!mount) return tl::unexpected(mount.error());
  const std::string& mount_point = mount->mount_point;
  // This process must not keep the mount busy, neither by its working directory, nor by a
  // descriptor inherited from a shell.
  if (::chdir("/") != 0) return Fail(ExitCode::kIoFailed, "cannot change to the directory /");
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  const auto daemon = DaemonProcess::Find(*mount);
  MountHealth health = LookAtMount(mount_point);
  const bool is_dead = health == MountHealth::kDead;
  if (arguments.by_force && !is_dead) return UnmountByForce(*mount, daemon);
  if (health == MountHealth::kSilent && arguments.lazily) return DetachLazily(mount_point);
  // A dying process may be waiting for the mount, which would then wait for it without end.
  const bool is_dying = health == MountHealth::kSilent && daemon && !daemon->IsAlive();
  if (is_dying || is_dead) return UnmountDead(*mount, daemon);
  if (health == MountHealth::kSilent) health = AwaitHealth(mount_point);
  if (health == MountHealth::kSilent) return ExplainSilence(mount_point, daemon);
  const CommandResult<> unmounted = UnmountAlive(arguments, *mount, daemon);
  if (unmounted || !arguments.lazily || !IsStillThere(*mount)) return unmounted;
  return DetachLazily(mount_point);
}

}  // namespace

Runner DefineUnmount(CLI::App& parser) {
  const auto arguments = std::make_shared<UnmountArguments>();
  parser.add_option("MOUNTPOINT", arguments->mount_point, "Where the store is mounted")->required();
  CLI::Option* const lazy =
      parser.add_flag("-z,--lazy", arguments->lazily,
                      "Detach a mount that is in use, without waiting for its daemon");
  CLI::Option* const force = parser.add_flag(
      "--force", arguments->by_force,
      "Cut off a mount that is busy, or whose daemon does not answer: its users get errors");
  force->excludes(lazy);
  parser
      .add_flag("-w,--wait", arguments->wait,
                "Wait until it is no longer in use; names the processes that use it")
      ->excludes(lazy)
      ->excludes(force);
  parser.footer("Example: kvfs unmount ~/kv");
  return [arguments] { return Unmount(*arguments); };
}

}  // namespace kvfs::cli
