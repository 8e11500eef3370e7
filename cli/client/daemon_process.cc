// Finds a daemon by its lock file, and waits for its end with a pidfd.

#include "cli/client/daemon_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

constexpr int kPauseMs = 20;
constexpr std::string_view kLockSuffix = "/lock";

std::optional<StoreHolder> HolderForMount(const std::string& store_path,
                                          const std::string& mount_point) {
  auto holder = ReadHolder(store_path);
  if (holder && MountPointOf(*holder) == mount_point) return holder;
  return std::nullopt;
}

// The process's state as in proc(5): T for stopped, Z for a process of which only threads remain; 0
// if there is no such process.
char StateOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The program's name, in parentheses, may contain any characters.
  const size_t end = line.rfind(") ");
  return end == std::string::npos || end + 2 >= line.size() ? '\0' : line[end + 2];
}

// Stores whose lock file the process has open. Stores inside a mount are skipped: looking at them
// would wait for a daemon.
std::vector<std::string> StoresOpenIn(const stdfs::path& process,
                                      const std::vector<MountEntry>& table) {
  std::vector<std::string> stores;
  std::error_code error;
  for (stdfs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    std::string target = stdfs::read_symlink(entry->path(), unreadable).string();
    if (unreadable || !target.starts_with('/') || !target.ends_with(kLockSuffix)) continue;
    target.resize(target.size() - kLockSuffix.size());
    if (IsServed(table, target)) continue;
    stores.push_back(std::move(target));
  }
  return stores;
}

std::optional<std::string> SearchStoreOf(const std::string& mount_point) {
  const auto table = ReadMountTable();
  if (!table) return std::nullopt;
  std::error_code error;
  for (stdfs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    for (const std::string& store_path : StoresOpenIn(entry->path(), *table)) {
      if (HolderForMount(store_path, mount_point)) return store_path;
    }
  }
  return std::nullopt;
}

// Whether an open file is the mount's connection to the kernel, judged by its entry in /proc.
bool IsConnection(const stdfs::path& description, uint32_t number) {
  std::ifstream file(description);
  const std::string wanted = "fuse_connection:\t" + std::to_string(number);
  for (std::string line; std::getline(file, line);) {
    if (line == wanted) return true;
  }
  return false;
}

bool HasConnection(const stdfs::path& process, uint32_t number) {
  std::error_code error;
  for (stdfs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    if (!stdfs::read_symlink(entry->path(), unreadable).string().ends_with("/fuse")) continue;
    if (IsConnection(process / "fdinfo" / entry->path().filename(), number)) return true;
  }
  return false;
}

std::optional<StoreHolder> HolderByConnection(const MountEntry& mount) {
  std::error_code error;
  for (stdfs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    if (!HasConnection(entry->path(), mount.number)) continue;
    return StoreHolder{std::atoi(entry->path().filename().c_str()),
                       MountPurpose(mount.mount_point)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<DaemonProcess> DaemonProcess::Find(const MountEntry& mount) {
  std::optional<DaemonProcess> named;
  if (auto holder = HolderForMount(mount.source, mount.mount_point)) {
    named = DaemonProcess(mount.source, *std::move(holder));
  } else if (const auto store_path = SearchStoreOf(mount.mount_point)) {
    holder = HolderForMount(*store_path, mount.mount_point);
    if (holder) named = DaemonProcess(*store_path, *std::move(holder));
  }
  if (named && named->process_.valid()) return named;
  // The text may be of a process that has died, and the store may have been opened read-only since.
  auto server = mount.source.starts_with('/') ? HolderByConnection(mount) : std::nullopt;
  if (!server) return named;
  return DaemonProcess(mount.source, *std::move(server));
}

std::optional<DaemonProcess> DaemonProcess::OfStore(const std::string& store_path) {
  auto holder = ReadHolder(store_path);
  if (!holder || !MountPointOf(*holder)) return std::nullopt;
  return DaemonProcess(store_path, *std::move(holder));
}

DaemonProcess::DaemonProcess(std::string store_path, StoreHolder holder)
    : store_path_(std::move(store_path)),
      holder_(std::move(holder)),
      process_(static_cast<int>(::syscall(SYS_pidfd_open, holder_.pid, 0))) {
  // Only now is it certain that the descriptor refers to the intended process.
  if (!HasLockFileOpen(holder_.pid, store_path_)) process_ = Descriptor();
}

bool DaemonProcess::Holds() const {
  const auto now = ReadHolder(store_path_);
  return now && now->pid == holder_.pid;
}

bool DaemonProcess::IsMounted() const {
  const auto table = ReadMountTable();
  const auto mount = table ? FindMount(*table, *MountPointOf(holder_)) : std::nullopt;
  return mount && mount->type == kMountType;
}

bool DaemonProcess::IsAlive() const {
  const char state = StateOf(holder_.pid);
  return process_.valid() && state != '\0' && state != 'Z' && state != 'X';
}

bool DaemonProcess::IsStopped() const {
  const char state = StateOf(holder_.pid);
  return process_.valid() && (state == 'T' || state == 't');
}

// Waits for a short time.
bool DaemonProcess::HasEnded() const {
  if (!process_.valid()) return true;
  pollfd ended{process_.number(), POLLIN, 0};
  return ::poll(&ended, 1, kPauseMs) > 0;
}

DaemonProcess::End DaemonProcess::AwaitEnd(const std::function<bool()>& waits_on) const {
  while (!HasEnded()) {
    if (!waits_on()) return End::kNotYet;
  }
  while (Holds() && IsHeld(store_path_)) {
    if (!waits_on()) return End::kNotYet;
    std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMs));
  }
  return Holds() ? End::kUnclean : End::kClean;
}

}  // namespace kvfs::cli
