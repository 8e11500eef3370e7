// A store in another mount is looked for in another process, since that mount may not answer.

#include "cli/client/store_place.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <kvfs/store.h>
#include "cli/base/aside.h"
#include "cli/base/paths.h"
#include "cli/client/daemon_process.h"
#include "cli/client/store_errors.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"
#include "cli/mounts/mount_watch.h"

namespace kvfs::cli {
namespace {

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

}  // namespace kvfs::cli
