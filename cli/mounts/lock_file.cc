// Reads the lock file, and finds its holder.

#include "cli/mounts/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <vector>

#include <kvfs/env.h>

namespace kvfs::cli {
namespace {

constexpr std::string_view kPidPrefix = "pid ";
constexpr std::string_view kMountPrefix = "mount ";
constexpr std::string_view kCommandPrefix = "kvfs ";
}  // namespace

std::optional<StoreHolder> ParseHolder(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  const size_t line_end = text.find('\n');
  if (!text.starts_with(kPidPrefix) || line_end == std::string_view::npos) return std::nullopt;
  StoreHolder holder;
  const char* const number_end = text.data() + line_end;
  const auto [stop, error] =
      std::from_chars(text.data() + kPidPrefix.size(), number_end, holder.pid);
  if (error != std::errc() || stop != number_end || holder.pid <= 0) return std::nullopt;
  std::string_view purpose = text.substr(line_end + 1);
  if (purpose.ends_with('\n')) purpose.remove_suffix(1);
  holder.purpose = purpose;
  return holder;
}

// Through the store's Env, which does not follow planted links.
std::optional<StoreHolder> ReadHolder(const std::string& store_path) {
  const auto inside = GetPosixEnv().Enter(store_path);
  if (!inside) return std::nullopt;
  const auto file = (*inside)->OpenFile(LockFilePath(store_path), Access::kReadOnly);
  const auto size = file ? (*file)->SizeBytes() : Result<uint64_t>(0);
  std::vector<std::byte> text(std::min<uint64_t>(size.value_or(0), kLockFileBytes));
  if (text.empty() || !(*file)->Read(0, text)) return std::nullopt;
  return ParseHolder(AsText(text));
}

std::string LockFilePath(const std::string& store_path) { return store_path + "/lock"; }

std::string MountPurpose(std::string_view mount_point) {
  return fmt::format("{}{}", kMountPrefix, mount_point);
}

std::string CommandPurpose(std::string_view command) {
  return fmt::format("{}{}", kCommandPrefix, command);
}

std::optional<std::string> MountPointOf(const StoreHolder& holder) {
  if (!holder.purpose.starts_with(kMountPrefix)) return std::nullopt;
  return holder.purpose.substr(kMountPrefix.size());
}

bool IsCommand(const StoreHolder& holder) { return holder.purpose.starts_with(kCommandPrefix); }

bool IsHeld(const std::string& store_path) {
  const auto inside = GetPosixEnv().Enter(store_path);
  const auto lock =
      inside ? (*inside)->ShareLock(LockFilePath(store_path)) : Result<std::unique_ptr<FileLock>>();
  return !lock && lock.error().code == ErrorCode::kInUse;
}

bool HasLockFileOpen(pid_t pid, const std::string& store_path) {
  struct stat lock {};
  // Not the target of a link: a holder never has a link open.
  if (::lstat(LockFilePath(store_path).c_str(), &lock) != 0) return false;
  std::error_code error;
  const std::string directory = fmt::format("/proc/{}/fd", pid);
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    // Only reads the link's text, from the kernel's memory: following it could wait for a mount's
    // daemon.
    const std::string target = std::filesystem::read_symlink(entry->path(), error).string();
    if (error || !target.ends_with("/lock")) {
      error.clear();
      continue;
    }
    struct statx file {};
    if (::statx(AT_FDCWD, entry->path().c_str(), AT_STATX_DONT_SYNC, STATX_INO, &file) == 0 &&
        ::makedev(file.stx_dev_major, file.stx_dev_minor) == lock.st_dev &&
        file.stx_ino == lock.st_ino) {
      return true;
    }
  }
  return false;
}

}  // namespace kvfs::cli
