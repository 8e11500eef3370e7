// Finding a daemon by its lock file, and waiting by pidfd.

#include "cli/serving_daemon.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

constexpr std::chrono::milliseconds kPause{10};
constexpr int kSilenceMs = 2'000;
constexpr std::string_view kLockSuffix = "/lock";

std::optional<StoreHolder> HolderForMount(const std::string& store_path,
                                          const std::string& mount_point) {
  auto holder = ReadHolder(store_path);
  if (holder && MountPointOf(*holder) == mount_point) return holder;
  return std::nullopt;
}

// Stores whose lock file the process has open.
std::vector<std::string> StoresOpenIn(const stdfs::path& process) {
  std::vector<std::string> stores;
  std::error_code error;
  for (stdfs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    std::string target = stdfs::read_symlink(entry->path(), unreadable).string();
    if (unreadable || !target.starts_with('/') || !target.ends_with(kLockSuffix)) continue;
    target.resize(target.size() - kLockSuffix.size());
    stores.push_back(std::move(target));
  }
  return stores;
}

std::optional<std::string> SearchStoreOf(const std::string& mount_point) {
  std::error_code error;
  for (stdfs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    for (const std::string& store_path : StoresOpenIn(entry->path())) {
      if (HolderForMount(store_path, mount_point)) return store_path;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ServingDaemon> ServingDaemon::Find(const MountEntry& mount) {
  if (auto holder = HolderForMount(mount.source, mount.mount_point)) {
    return ServingDaemon(mount.source, *std::move(holder));
  }
  const auto store_path = SearchStoreOf(mount.mount_point);
  if (!store_path) return std::nullopt;
  auto holder = HolderForMount(*store_path, mount.mount_point);
  if (!holder) return std::nullopt;
  return ServingDaemon(*store_path, *std::move(holder));
}

std::optional<ServingDaemon> ServingDaemon::OfStore(const std::string& store_path) {
  auto holder = ReadHolder(store_path);
  if (!holder || !MountPointOf(*holder)) return std::nullopt;
  return ServingDaemon(store_path, *std::move(holder));
}

ServingDaemon::ServingDaemon(std::string store_path, StoreHolder holder)
    : store_path_(std::move(store_path)),
      holder_(std::move(holder)),
      process_(static_cast<int>(::syscall(SYS_pidfd_open, holder_.pid, 0))) {
  // Only now is it certain that the descriptor is of the process meant.
  if (!HasLockFileOpen(holder_.pid, store_path_)) process_ = Descriptor();
}

bool ServingDaemon::Holds() const {
  const auto now = ReadHolder(store_path_);
  return now && now->pid == holder_.pid;
}

bool ServingDaemon::IsMounted() const {
  const auto table = ReadMountTable();
  const auto mount = table ? FindMount(*table, *MountPointOf(holder_)) : std::nullopt;
  return mount && mount->type == kMountType;
}

// Below 0: however long it takes.
bool ServingDaemon::HasEndedWithin(int milliseconds) const {
  pollfd ended{process_.number(), POLLIN, 0};
  int count = 1;
  while (process_.valid() && (count = ::poll(&ended, 1, milliseconds)) < 0 && errno == EINTR) {
  }
  return count != 0;
}

bool ServingDaemon::AwaitCleanEnd(const std::function<void()>& on_wait) const {
  if (!HasEndedWithin(kSilenceMs)) {
    if (on_wait) on_wait();
    HasEndedWithin(-1);
  }
  while (Holds() && IsHeld(store_path_)) std::this_thread::sleep_for(kPause);
  return !Holds();
}

}  // namespace kvfs::cli
