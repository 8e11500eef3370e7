// Waits for a store, and explains why it cannot be used.

#include "cli/client/store_access.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "cli/base/aside.h"
#include "cli/base/paths.h"
#include "cli/base/waiting.h"
#include "cli/client/turn.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"
#include "cli/mounts/mount_watch.h"

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

bool MayBeThere(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) || error;
}

// Whether the error leaves open whether the path exists.
bool IsUnknown(ErrorCode code) {
  return code == ErrorCode::kIo || code == ErrorCode::kPermission ||
         code == ErrorCode::kUnavailable;
}

bool IsEmptyDirectory(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_empty(path, error) && !error;
}

// By this user, or because of the medium.
bool MayOnlyBeRead(const std::string& store_path) {
  const std::string superblock = store_path + "/superblock";
  return ::access(superblock.c_str(), R_OK) == 0 && ::access(superblock.c_str(), W_OK) != 0;
}

bool IsOtherThanDirectory(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error) &&
         !error;
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

// The store mounted at a mount point, which is thus another name of the store.
std::optional<std::string> StoreMountedAt(const std::vector<MountEntry>& table,
                                          const std::string& path) {
  const auto mount = FindMount(table, path);
  if (!mount || mount->type != kMountType) return std::nullopt;
  const auto daemon = DaemonProcess::Find(*mount);
  if (daemon) return daemon->store_path();
  return mount->source.starts_with('/') ? std::optional(mount->source) : std::nullopt;
}

// Watches a store whose files are in another kvfs mount.
CommandResult<> WatchStore(const std::vector<MountEntry>& table, const std::string& store_path) {
  if (!IsServed(table, store_path)) return {};
  const auto watched = WatchPlace(store_path);
  if (watched) return {};
  return Fail(ExitCode::kIoFailed, fmt::format("cannot use the store at {}, which lies in a mount: "
                                               "{}",
                                               store_path, watched.error().message));
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

CommandResult<std::string> ResolveStore(const std::string& path, IfMissing if_missing) {
  auto resolved = ResolvePlace(path);
  if (!resolved) {
    const bool may_be_there = IsUnknown(resolved.error().code);
    return Fail(may_be_there ? ExitCode::kIoFailed : ExitCode::kNoStore,
                fmt::format("{} at {}: {}", may_be_there ? "cannot look for a store" : "no store",
                            path, resolved.error().message));
  }
  const auto table = ReadMountTable();
  if (const auto mounted = table ? StoreMountedAt(*table, *resolved) : std::nullopt)
    return WatchStore(*table, *mounted).map([&] { return *mounted; });
  const auto look = [&] { return std::string(MayBeThere(*resolved) ? "yes" : "no"); };
  const auto is_there =
      table && IsServed(*table, *resolved) ? GlanceAside(look) : Result<std::string>(look());
  if (!is_there) {
    return Fail(ExitCode::kIoFailed, fmt::format("cannot look for a store at {}: {}", *resolved,
                                                 is_there.error().message));
  }
  if (if_missing == IfMissing::kFail && *is_there == "no") {
    return tl::unexpected(ExplainStoreError(*resolved, Error{ErrorCode::kNotFound, {}}));
  }
  KVFS_TRY(table ? WatchStore(*table, *resolved) : CommandResult<>());
  return *std::move(resolved);
}

CommandResult<> RequireStore(const std::string& store_path) {
  for (const char* name : {"/superblock", "/identity"}) {
    const auto found = GetPosixEnv().Exists(store_path + name);
    if (!found) return tl::unexpected(ExplainStoreError(store_path, found.error()));
    if (*found) return {};
  }
  return tl::unexpected(ExplainStoreError(store_path, Error{ErrorCode::kNotFound, {}}));
}

CommandResult<> CreateIfMissing(const std::string& store_path) {
  std::error_code error;
  if (std::filesystem::exists(store_path, error) && !IsEmptyDirectory(store_path)) return {};
  const auto created = Store::Create(GetPosixEnv(), store_path);
  // Another process may have created it first: that is as good.
  if (created || created.error().code == ErrorCode::kExists) return {};
  return tl::unexpected(ExplainStoreError(store_path, created.error()));
}

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

CommandError ExplainStoreError(const std::string& store_path, const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return {ExitCode::kNoStore,
              IsOtherThanDirectory(store_path)
                  ? fmt::format("no store at {}: it is not a directory", store_path)
                  : fmt::format("no store at {0}; `kvfs create {0}` creates one", store_path)};
    case ErrorCode::kExists:
      return {ExitCode::kNoStore, fmt::format("there is already a store at {}", store_path)};
    case ErrorCode::kInUse:
      return {ExitCode::kStoreInUse,
              fmt::format("the store at {} cannot be opened twice: {}; end that process first",
                          store_path, error.message)};
    case ErrorCode::kPermission:
      return {ExitCodeOfStore(error.code),
              fmt::format("cannot use the store at {}: {}{}", store_path, error.message,
                          MayOnlyBeRead(store_path) ? "; it can be read, but not changed" : "")};
    default:
      return {ExitCodeOfStore(error.code),
              fmt::format("cannot use the store at {}: {}", store_path, error.message)};
  }
}

}  // namespace kvfs::cli
