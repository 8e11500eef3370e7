// Waiting for a store, and explaining why it cannot be had.

#include "cli/store_access.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>
#include <utility>

#include "cli/mount_point.h"
#include "cli/mount_table.h"
#include "cli/paths.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;

// Longer than a checkpoint of a full dirty memory takes on a slow disk that others keep busy too.
constexpr milliseconds kPatience{60'000};
constexpr milliseconds kSilence{1'000};
constexpr milliseconds kPause{10};

// A mount that is beginning keeps signals for later.
bool IsToldToStop() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
         sigismember(&pending, SIGHUP) == 1;
}

// By the table of mounts alone: a question to the mount might never be answered.
std::string_view WhyDaemonIsSilent(const StoreHolder& holder) {
  const auto mount_point = MountPointOf(holder);
  if (!mount_point) return "";
  const auto table = ReadMountTable();
  const auto mount = table ? FindMount(*table, *mount_point) : std::nullopt;
  if (mount && mount->type == kMountType) return ", a daemon that does not answer";
  return ", whose mount is not to be seen here: it is closing the store, or is mounted in another "
         "mount namespace, such as a container's";
}

// Waiting for whoever has the store open, with a word to the person once it takes long.
class Patience {
 public:
  explicit Patience(const std::string& store_path) : store_path_(store_path) {}

  // Waits a little. False if that was enough, or if this process shall end.
  bool Wait() {
    const auto waited = std::chrono::steady_clock::now() - since_;
    if (waited > kPatience || IsToldToStop()) return false;
    if (waited > kSilence && !std::exchange(is_told_, true)) Tell();
    std::this_thread::sleep_for(kPause);
    return true;
  }

 private:
  void Tell() const {
    const auto holder = ReadHolder(store_path_);
    fmt::print(stderr, "kvfs: the store {} is still in use by {}{}; waiting\n", store_path_,
               holder ? fmt::format("process {}", holder->pid) : "another process",
               holder ? WhyDaemonIsSilent(*holder) : "");
  }

  const std::string& store_path_;
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  bool is_told_ = false;
};

bool IsEmptyDirectory(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_empty(path, error) && !error;
}

// A daemon may not listen yet, or not any more.
bool MayPass(ErrorCode code) { return code == ErrorCode::kNotFound || code == ErrorCode::kIo; }

// Whether a mount is the one that the store's daemon made. Its source names the store, unless
// -o fsname said something else: then the daemon must answer, for one that is closing does not, and
// another store may be mounted at its place by now.
bool IsServedFrom(const std::string& store_path, const MountEntry& mount) {
  if (mount.source == store_path) return true;
  const auto other = ReadHolder(mount.source);
  if (other && MountPointOf(*other) == mount.mount_point) return false;
  const auto daemon = DaemonConnection::Open(store_path);
  return daemon || !MayPass(daemon.error().code);
}

Failure ExplainDaemonError(const std::string& store_path, const StoreHolder& holder,
                           const Error& error) {
  const bool is_permission = error.code == ErrorCode::kPermission;
  return {is_permission ? ExitCode::kIoFailed : ExitCodeOfStore(error.code),
          fmt::format("cannot use the store at {}, which process {} has mounted on {}: {}{}",
                      store_path, holder.pid, *MountPointOf(holder), error.message,
                      is_permission ? "; it is another user's, use the files of the mount" : "")};
}

}  // namespace

Answer<std::string> ResolveStore(const std::string& path, IfMissing if_missing) {
  auto resolved = ResolvePath(path);
  if (!resolved) {
    return Stop(ExitCode::kNoStore,
                fmt::format("no store at {}: {}", path, resolved.error().message));
  }
  std::error_code error;
  if (if_missing == IfMissing::kFail && !std::filesystem::exists(*resolved, error) && !error) {
    return tl::unexpected(ExplainStoreError(*resolved, Error{ErrorCode::kNotFound, {}}));
  }
  return *std::move(resolved);
}

Outcome CreateIfMissing(const std::string& store_path) {
  std::error_code error;
  if (std::filesystem::exists(store_path, error) && !IsEmptyDirectory(store_path)) return {};
  const auto created = Store::Create(GetPosixEnv(), store_path);
  // Another process may have been faster: then there is a store, as wanted.
  if (created || created.error().code == ErrorCode::kExists) return {};
  return tl::unexpected(ExplainStoreError(store_path, created.error()));
}

Result<std::unique_ptr<Store>> OpenPatiently(const std::string& store_path,
                                             const OpenOptions& options) {
  Patience patience(store_path);
  while (true) {
    auto store = Store::Open(GetPosixEnv(), store_path, options);
    if (store || store.error().code != ErrorCode::kInUse) return store;
    if (!IsPassing(store_path) || !patience.Wait()) return store;
  }
}

Answer<ReachedStore> ReachStore(const std::string& store_path, const OpenOptions& options) {
  Patience patience(store_path);
  while (true) {
    auto store = Store::Open(GetPosixEnv(), store_path, options);
    if (store) return ReachedStore{*std::move(store), std::nullopt};
    Error reason = std::move(store).error();
    if (reason.code != ErrorCode::kInUse) {
      return tl::unexpected(ExplainStoreError(store_path, reason));
    }
    Failure failure = ExplainStoreError(store_path, reason);
    const auto holder = ReadHolder(store_path);
    if (holder && MountPointOf(*holder)) {
      auto daemon = DaemonConnection::Open(store_path);
      if (daemon) return ReachedStore{nullptr, *std::move(daemon)};
      failure = ExplainDaemonError(store_path, *holder, daemon.error());
      if (!MayPass(daemon.error().code)) return tl::unexpected(std::move(failure));
    } else if (!IsPassing(store_path)) {
      return tl::unexpected(std::move(failure));
    }
    if (!patience.Wait()) return tl::unexpected(std::move(failure));
  }
}

bool IsPassing(const std::string& store_path) {
  const auto holder = ReadHolder(store_path);
  if (!holder || IsCommand(*holder)) return true;
  return MountPointOf(*holder).has_value() && !FindLiveMount(store_path);
}

std::optional<std::string> FindLiveMount(const std::string& store_path) {
  const auto holder = ReadHolder(store_path);
  if (!holder) return std::nullopt;
  const auto mount_point = MountPointOf(*holder);
  const auto table = ReadMountTable();
  if (!mount_point || !table) return std::nullopt;
  const auto mount = FindMount(*table, *mount_point);
  if (!mount || mount->type != kMountType || IsDeadMount(*mount_point)) return std::nullopt;
  if (!IsServedFrom(store_path, *mount)) return std::nullopt;
  return mount_point;
}

Failure ExplainStoreError(const std::string& store_path, const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return {ExitCode::kNoStore,
              fmt::format("no store at {0}; `kvfs create {0}` makes one", store_path)};
    case ErrorCode::kExists:
      return {ExitCode::kNoStore, fmt::format("there is already a store at {}", store_path)};
    case ErrorCode::kInUse:
      return {ExitCode::kStoreInUse,
              fmt::format("the store at {} cannot be opened twice: {}; end that process first",
                          store_path, error.message)};
    default:
      return {ExitCodeOfStore(error.code),
              fmt::format("cannot use the store at {}: {}", store_path, error.message)};
  }
}

}  // namespace kvfs::cli
