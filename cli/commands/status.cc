// `kvfs status`: lists mounted stores and their mount points, and the holder of a store.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "cli/base/json_text.h"
#include "cli/base/paths.h"
#include "cli/base/shown_text.h"
#include "cli/base/waiting.h"
#include "cli/client/daemon_process.h"
#include "cli/client/store_place.h"
#include "cli/commands/command.h"
#include "cli/mounts/lock_file.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {
namespace {

struct StatusArguments {
  std::vector<std::string> places;
  bool json = false;
};

struct Status {
  std::string store;
  std::string mount_point;  // empty: not mounted
  std::string state;        // "mounted", "silent", "dead", "held", "free"
  pid_t pid = 0;            // 0: none or unknown
  std::string purpose;      // of the holder
  bool is_stopped = false;  // the process is stopped by a signal
};

Status OfMount(const MountEntry& mount, MountHealth health) {
  Status status{mount.source, mount.mount_point, "mounted", 0, ""};
  if (health == MountHealth::kDead) status.state = "dead";
  if (health == MountHealth::kSilent) status.state = "silent";
  if (const auto daemon = DaemonProcess::Find(mount); daemon && status.state != "dead") {
    status.pid = daemon->pid();
    status.store = daemon->store_path();
    status.is_stopped = daemon->IsStopped();
  }
  return status;
}

Status OfMount(const MountEntry& mount) { return OfMount(mount, LookAtMount(mount.mount_point)); }

Status OfStore(const std::string& store, const std::vector<MountEntry>& table) {
  Status status{store, "", "free", 0, ""};
  if (!IsHeld(store)) {
    // A store opened for reading only is shared, and its readers are not recorded.
    const auto mount = std::ranges::find_if(table, [&](const MountEntry& entry) {
      return entry.type == kMountType && entry.source == store;
    });
    return mount == table.end() ? status : OfMount(*mount);
  }
  status.state = "held";
  const auto holder = ReadHolder(store);
  if (!holder) return status;
  status.pid = holder->pid;
  status.purpose = holder->purpose;
  if (const auto mount_point = MountPointOf(*holder)) {
    const auto mount = FindMount(table, *mount_point);
    if (mount && mount->type == kMountType && mount->source == store) return OfMount(*mount);
    status.state = "mounted";
    status.mount_point = *mount_point;
  }
  return status;
}

std::string Describe(const Status& status) {
  const std::string by = status.pid == 0 ? "" : fmt::format(" by process {}", status.pid);
  if (status.state == "mounted") {
    return fmt::format("{} is mounted on {}{}", status.store, status.mount_point, by);
  }
  if (status.state == "silent") {
    return fmt::format(
        "{0} is mounted on {1}{2}, which {3}: `kvfs unmount --force {1}` cuts it off", status.store,
        status.mount_point, by.empty() ? " by a process" : by,
        status.is_stopped ? "is stopped; `kill -CONT` resumes it" : "does not answer");
  }
  if (status.state == "dead") {
    return fmt::format("{0} was mounted on {1}, whose daemon has died: `kvfs unmount {1}`",
                       status.store, status.mount_point);
  }
  if (status.state == "free") return fmt::format("{} is not in use", status.store);
  return fmt::format("{} is held{}{}", status.store, by,
                     status.purpose.empty() ? "" : fmt::format(" ({})", status.purpose));
}

void Print(const Status& status, bool json) {
  if (!json) {
    fmt::print("{}\n", ShownText(stdout, Describe(status)));
    return;
  }
  Json line;
  SetBytes(line, "store", status.store);
  line["state"] = status.state;
  if (!status.mount_point.empty()) SetBytes(line, "mount_point", status.mount_point);
  if (status.pid != 0) line["pid"] = status.pid;
  if (!status.purpose.empty()) SetBytes(line, "purpose", status.purpose);
  fmt::print("{}\n", ToLine(line));
}

CommandResult<> ShowPlace(const std::string& place, const std::vector<MountEntry>& table,
                          bool json) {
  // A mount may be given by its mount point, even if it is dead.
  if (const auto path = ResolvePlace(place)) {
    const auto mount = FindMount(table, *path);
    if (mount && mount->type == kMountType) {
      Print(OfMount(*mount), json);
      return {};
    }
  }
  KVFS_ASSIGN(const auto store, ResolveStore(place, IfMissing::kFail));
  const Status status = OfStore(store, table);
  KVFS_TRY(status.state == "free" ? RequireStore(store) : CommandResult<>());
  Print(status, json);
  return {};
}

CommandResult<> Show(const StatusArguments& arguments) {
  SetWaitLimit(std::chrono::seconds(1));
  KVFS_ASSIGN(const auto table, ReadMountTable());
  for (const std::string& place : arguments.places) {
    KVFS_TRY(ShowPlace(place, table, arguments.json));
  }
  if (!arguments.places.empty()) return {};
  const std::vector<MountEntry> mounts = KvfsMounts(table);
  const std::vector<MountHealth> healths = LookAtMounts(MountPoints(mounts));
  for (size_t i = 0; i < mounts.size(); ++i) Print(OfMount(mounts[i], healths[i]), arguments.json);
  return {};
}

}  // namespace

Runner DefineStatus(CLI::App& parser) {
  const auto arguments = std::make_shared<StatusArguments>();
  parser.add_option("PLACE", arguments->places, "Stores or mount points (default: all mounts)");
  parser.add_flag("--json", arguments->json, "One JSON object a line");
  parser.footer("Example: kvfs status ~/store");
  return [arguments] { return Show(*arguments); };
}

}  // namespace kvfs::cli
