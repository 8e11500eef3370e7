// Parts the command into its processes: the one that works (the child), the one that watches
// (cli/mounts/watcher.h), and the keeper of the child's files (cli/mounts/watch_keeper.h).

#include "cli/mounts/mount_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "cli/base/descriptor.h"
#include "cli/base/interruption.h"
#include "cli/base/paths.h"
#include "cli/base/waiting.h"
#include "cli/mounts/mount_table.h"
#include "cli/mounts/watch_keeper.h"
#include "cli/mounts/watcher.h"

namespace kvfs::cli {
namespace {

constexpr std::chrono::milliseconds kStep{2};

// Global to the process, like its command line.
std::vector<std::string> watched_mounts;
bool watches_nothing = false;

WatchShared* MakeShared() {
  void* const page = ::mmap(nullptr, sizeof(WatchShared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? nullptr : new (page) WatchShared;
}

enum class Role { kWorks, kWatched };

// Splits the command. Returns at once in the worker, and in the watcher once it has given up the
// worker. If no process can be started, this process works unwatched.
Role Part(const std::vector<std::string>& mounts) {
  WatchShared* const shared = MakeShared();
  std::array<int, 2> ends;
  if (shared == nullptr || ::pipe2(ends.data(), O_CLOEXEC) != 0) return Role::kWorks;
  Descriptor told(ends[0]), tells(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t keeper = ::fork();
  if (keeper < 0) return Role::kWorks;
  if (keeper == 0) {
    tells = Descriptor();
    const pid_t child = CloneBeside();
    if (child != 0) {
      shared->child = child;
      Keep(told.number(), *shared, mounts);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!shared->is_parted && ::getppid() == parent) ::sched_yield();
    if (::getppid() != parent) ::_exit(EXIT_FAILURE);
    TakeSignalsAsPassedOn();
    static_cast<void>(told.Release());  // belongs to the keeper, too
    return Role::kWorks;
  }
  told = Descriptor();
  while (shared->child == 0) std::this_thread::sleep_for(kStep);
  if (shared->child < 0) return Role::kWorks;
  LetGoOf(mounts);
  shared->is_parted = true;
  Watch(keeper, std::move(tells), *shared, mounts).Run();
  return Role::kWatched;
}

Result<void> WatchMounts(std::vector<std::string> mounts) {
  std::erase_if(mounts, [](const std::string& mount) {
    return std::ranges::find(watched_mounts, mount) != watched_mounts.end();
  });
  if (mounts.empty() || watches_nothing) return {};
  watched_mounts.insert(watched_mounts.end(), mounts.begin(), mounts.end());
  ShareWaits();
  std::fflush(nullptr);
  const sigset_t signals = WatchedSignals();
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  const Role role = Part(mounts);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (role == Role::kWorks) return {};
  return Fail(ErrorCode::kIo, WithWaited("its daemon does not answer") +
                                  "; the command was not completed: earlier changes remain, and "
                                  "files .kvfs-*.partial may be left");
}

// Of mounts over each other, only the topmost is accessible, and each gives the same result.
std::vector<std::string> MountsAround(const std::vector<MountEntry>& table,
                                      const std::string& path) {
  std::vector<std::string> mounts;
  for (const MountEntry& mount : KvfsMounts(table)) {
    const bool is_concerned =
        IsWithin(path, mount.mount_point) || IsWithin(mount.mount_point, path);
    if (is_concerned) mounts.push_back(mount.mount_point);
  }
  return mounts;
}

}  // namespace

Result<void> WatchPlace(const std::string& path) {
  const auto table = ReadMountTable();
  return table ? WatchMounts(MountsAround(*table, path)) : Result<void>();
}

Result<void> WatchStreams() {
  std::vector<std::string> mounts;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    std::error_code error;
    // Answered by the kernel, without a daemon.
    const auto path = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", stream), error);
    if (error || !path.is_absolute() || IsWithin(path.string(), "/dev")) continue;
    const auto table = ReadMountTable();
    for (const MountEntry& mount : KvfsMounts(table.value_or(std::vector<MountEntry>()))) {
      if (IsWithin(path.string(), mount.mount_point)) mounts.push_back(mount.mount_point);
    }
  }
  return WatchMounts(std::move(mounts));
}

void ForgoWatching() { watches_nothing = true; }

}  // namespace kvfs::cli
