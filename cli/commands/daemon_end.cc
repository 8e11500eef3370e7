// Messages name the process, and what may keep it running.

#include "cli/commands/daemon_end.h"

#include <fmt/format.h>

#include <vector>

#include "cli/base/waiting.h"

namespace kvfs::cli {
namespace {

// What may keep the daemon running after the mount is gone: the same file system at another mount
// point, if that is visible from here.
std::string WhyItLives(const MountEntry& mount) {
  const auto table = ReadMountTable();
  for (const MountEntry& entry : table.value_or(std::vector<MountEntry>())) {
    if (entry.type != kMountType || entry.number != mount.number) continue;
    return fmt::format("which is still mounted on {}, for example by `mount --bind`",
                       entry.mount_point);
  }
  return "which is closing the store, or is still mounted in another mount namespace, such as a "
         "container's";
}

}  // namespace

CommandResult<> AwaitEnd(const DaemonProcess& daemon, const MountEntry& mount) {
  const std::string& mount_point = mount.mount_point;
  const std::string whom = fmt::format("its daemon, process {}", daemon.pid());
  Waiting waiting([&] {
    return fmt::format("{} is unmounted here; waiting for {}, {}: `kill {}` ends it cleanly",
                       mount_point, whom, WhyItLives(mount), daemon.pid());
  });
  switch (daemon.AwaitEnd([&] { return waiting.GoesOn(); })) {
    case DaemonProcess::End::kClean:
      return {};
    case DaemonProcess::End::kUnclean:
      return ExplainUncleanEnd(daemon, mount_point);
    case DaemonProcess::End::kNotYet:
      break;
  }
  return Fail(ExitCode::kStoreInUse,
              fmt::format("unmounted {} here, but {} still holds the store {}, {}; `kill {}` ends "
                          "it cleanly, and with it any other mounts",
                          mount_point, whom, daemon.store_path(), WhyItLives(mount), daemon.pid()));
}

CommandResult<> AwaitEndOfAny(const std::optional<DaemonProcess>& daemon, const MountEntry& mount) {
  if (daemon) return AwaitEnd(*daemon, mount);
  if (mount.is_read_only) return {};  // it had nothing to write
  return ExplainUnknownEnd(
      mount,
      "but its daemon cannot be found from here, so it is unknown whether everything is on disk");
}

CommandResult<> ExplainUncleanEnd(const DaemonProcess& daemon, const std::string& mount_point) {
  return Fail(
      ExitCode::kFlushFailed,
      fmt::format("unmounted {}, but its daemon, process {}, ended without closing the store {}: "
                  "see its log; acknowledged changes are recovered when the store is next opened",
                  mount_point, daemon.pid(), daemon.store_path()));
}

CommandResult<> ExplainUnknownEnd(const MountEntry& mount, std::string_view why) {
  return Fail(ExitCode::kFlushFailed,
              fmt::format("unmounted {}, {}; acknowledged changes are in the store {}, or are "
                          "recovered when it is next opened",
                          mount.mount_point, why, mount.source));
}

}  // namespace kvfs::cli
