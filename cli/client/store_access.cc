// Whether to wait depends on the process that holds the store.

#include "cli/client/store_access.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "cli/base/waiting.h"
#include "cli/client/store_errors.h"
#include "cli/client/turn.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause{10};
// A daemon that has just mounted listens within this time.
constexpr milliseconds kBeginning{1'000};

// Uses the mount table alone: a call on the mount might never return.
std::string_view WhyDaemonIsSilent(const StoreHolder& holder) {
  const auto mount_point = MountPointOf(holder);
  if (!mount_point) return "";
  const auto table = ReadMountTable();
  const auto mount = table ? FindMount(*table, *mount_point) : std::nullopt;
  if (mount && mount->type == kMountType) return ", a daemon that does not answer";
  return ", whose mount is not visible here: it is closing the store, or is mounted in another "
         "mount namespace, such as a container's";
}

std::string SayWhoHasIt(const std::string& store_path) {
  const auto holder = ReadHolder(store_path);
  return fmt::format("the store {} is still in use by {}{}", store_path,
                     holder ? fmt::format("process {}", holder->pid) : "another process",
                     holder ? WhyDaemonIsSilent(*holder) : "");
}

// A reader goes ahead only if no writer waits; a writer that must wait takes the turn. No turn is
// needed for a store with a daemon: the daemon answers requests.
Result<std::unique_ptr<Store>> OpenInTurn(const std::string& store_path, const OpenOptions& options,
                                          Turn& turn) {
  if (options.read_only && !turn.IsFree()) {
    return Fail(ErrorCode::kInUse, "other commands are waiting to change it");
  }
  auto store = Store::Open(GetPosixEnv(), store_path, options);
  if (store || store.error().code != ErrorCode::kInUse || options.read_only) return store;
  const auto holder = ReadHolder(store_path);
  if (!holder || !MountPointOf(*holder)) turn.Take();
  return store;
}

// The daemon may not listen yet, or no longer.
bool MayPass(ErrorCode code) { return code == ErrorCode::kNotFound || code == ErrorCode::kIo; }

// Whether the store's daemon made the mount. The mount's source names the store, unless -o fsname
// replaced it: then the daemon must answer, since a closing one does not, and another store may be
// mounted there by now.
bool IsServedFrom(const std::string& store_path, const MountEntry& mount) {
  if (mount.source == store_path) return true;
  const auto other = ReadHolder(mount.source);
  if (other && MountPointOf(*other) == mount.mount_point) return false;
  const auto daemon = DaemonConnection::Open(store_path);
  return daemon || !MayPass(daemon.error().code);
}

CommandError ExplainDaemonError(const std::string& store_path, const StoreHolder& holder,
                                const Error& error) {
  const bool is_permission = error.code == ErrorCode::kPermission;
  return {
      is_permission ? ExitCode::kIoFailed : ExitCodeOfStore(error.code),
      fmt::format("cannot use the store at {}, which process {} has mounted on {}: {}{}",
                  store_path, holder.pid, *MountPointOf(holder), error.message,
                  is_permission ? "; it belongs to another user: use the files of the mount" : "")};
}

// The daemon could not create its socket at its start.
CommandError ExplainDeafDaemon(const std::string& store_path, const StoreHolder& holder) {
  return {ExitCode::kIoFailed,
          fmt::format("cannot use the store at {}, which process {} has mounted on {}: its daemon "
                      "accepts no commands; use the files of the mount, or unmount it",
                      store_path, holder.pid, *MountPointOf(holder))};
}

}  // namespace

Result<std::unique_ptr<Store>> OpenPatiently(const std::string& store_path,
                                             const OpenOptions& options) {
  Waiting waiting([&] { return SayWhoHasIt(store_path); });
  Turn turn(store_path);
  while (true) {
    auto store = OpenInTurn(store_path, options, turn);
    if (store || store.error().code != ErrorCode::kInUse) return store;
    if (!IsPassing(store_path)) return store;
    if (!waiting.GoesOn()) return Fail(ErrorCode::kInUse, WithWaited(store.error().message));
    std::this_thread::sleep_for(kPause);
  }
}

CommandResult<ReachedStore> ReachStore(const std::string& store_path, const OpenOptions& options) {
  Waiting waiting([&] { return SayWhoHasIt(store_path); });
  Turn turn(store_path);
  const auto since = steady_clock::now();
  while (true) {
    auto store = OpenInTurn(store_path, options, turn);
    if (store) return ReachedStore{*std::move(store), std::nullopt};
    Error reason = std::move(store).error();
    if (reason.code != ErrorCode::kInUse) {
      return tl::unexpected(ExplainStoreError(store_path, reason));
    }
    reason.message = WithWaited(std::move(reason).message);
    CommandError failure = ExplainStoreError(store_path, reason);
    const auto holder = ReadHolder(store_path);
    if (holder && MountPointOf(*holder)) {
      auto daemon = DaemonConnection::Open(store_path, [&] { return waiting.GoesOn(); });
      if (daemon) return ReachedStore{nullptr, *std::move(daemon)};
      failure = ExplainDaemonError(store_path, *holder, daemon.error());
      if (!MayPass(daemon.error().code)) return tl::unexpected(std::move(failure));
      if (daemon.error().code == ErrorCode::kNotFound && steady_clock::now() - since > kBeginning &&
          FindLiveMount(store_path)) {
        return tl::unexpected(ExplainDeafDaemon(store_path, *holder));
      }
    } else if (!IsPassing(store_path)) {
      return tl::unexpected(std::move(failure));
    }
    if (!waiting.GoesOn()) return tl::unexpected(std::move(failure));
    std::this_thread::sleep_for(kPause);
  }
}

bool IsPassing(const std::string& store_path) {
  const auto holder = ReadHolder(store_path);
  if (!holder || IsCommand(*holder)) return true;
  return MountPointOf(*holder).has_value() && !FindLiveMount(store_path);
}

bool IsServedByDaemon(const std::string& store_path) {
  const auto holder = ReadHolder(store_path);
  return holder && MountPointOf(*holder) && IsHeld(store_path);
}

std::optional<std::string> FindLiveMount(const std::string& store_path) {
  const auto holder = ReadHolder(store_path);
  if (!holder) return std::nullopt;
  const auto mount_point = MountPointOf(*holder);
  const auto table = ReadMountTable();
  if (!mount_point || !table) return std::nullopt;
  const auto mount = FindMount(*table, *mount_point);
  if (!mount || mount->type != kMountType) return std::nullopt;
  if (LookAtMount(*mount_point) == MountHealth::kDead) return std::nullopt;
  if (!IsServedFrom(store_path, *mount)) return std::nullopt;
  return mount_point;
}

}  // namespace kvfs::cli
