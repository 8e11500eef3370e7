// A process's descriptor table cannot be emptied from outside, nor released without closing its
// files, which may wait for the daemon. So a third process, the keeper, shares the child's table
// from the beginning (clone(2)), and only closes its files when it is told to. The watcher has a
// table of its own, from which it removes the mounts' files at the beginning, while the daemons
// answer: writing to them, or closing them at its exit, would wait for the daemons.

#include "cli/mounts/mount_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "cli/base/aside.h"
#include "cli/base/descriptor.h"
#include "cli/base/interruption.h"
#include "cli/base/paths.h"
#include "cli/base/waiting.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The interval between checks of the daemons.
constexpr milliseconds kPause{200};
// After a signal to stop, a daemon counts as silent after this time.
constexpr milliseconds kSilence{1'000};
// A process that can be killed ends within this time.
constexpr milliseconds kDying{100};
constexpr milliseconds kStep{2};

// Global to the process, like its command line.
std::vector<std::string> watched_mounts;
bool watches_nothing = false;

// Like fork, but shares the descriptor table, and the child has the caller's parent.
pid_t CloneBeside() {
  return static_cast<pid_t>(::syscall(SYS_clone, CLONE_FILES | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
}

// Memory shared by the processes of a watch.
struct Shared {
  std::atomic<pid_t> child{0};  // -1: it could not be started
  std::atomic<bool> is_parted{false};
  std::atomic<bool> is_closed{false};
};
Shared* MakeShared() {
  void* const page =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? nullptr : new (page) Shared;
}

sigset_t WatchedSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : kSignals) ::sigaddset(&signals, signal);
  ::sigaddset(&signals, SIGCHLD);
  return signals;
}

// The watcher. Its child does the work.
class Watch {
 public:
  Watch(pid_t keeper, Descriptor told, Shared& shared, std::vector<std::string> mounts)
      : child_(shared.child),
        keeper_(keeper),
        told_(std::move(told)),
        shared_(shared),
        mounts_(std::move(mounts)),
        signals_(WatchedSignals()) {}

  // Exits when the child exits. Returns if the child was given up.
  void Run() {
    do {
      Pause();
    } while (DoesOtherWait() || Answers());
    GiveUpChild();
  }

 private:
  // Every child's exit causes a signal, also that of the processes that check the daemons.
  void Pause() {
    const auto end = steady_clock::now() + kPause;
    for (auto rest = kPause; rest.count() > 0;
         rest = std::chrono::ceil<milliseconds>(end - steady_clock::now())) {
      AwaitSignal(rest);
      EndWithChild();
    }
  }
  // Forwards a signal to the child, which may have received it itself, too.
  bool AwaitSignal(milliseconds time) {
    const timespec limit{0, std::chrono::nanoseconds(time).count()};
    siginfo_t info{};
    const int signal = ::sigtimedwait(&signals_, &info, &limit);
    if (signal <= 0 || signal == SIGCHLD || IsIgnored(signal)) return signal > 0;
    is_told_to_stop_ = true;
    ::kill(child_, signal);
    return true;
  }

  void EndWithChild() {
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) != child_) return;
    // Files that the child has left open are closed when the keeper exits.
    told_ = Descriptor();
    AwaitKeeper([this] { return ::waitpid(keeper_, nullptr, WNOHANG) != 0; });
    if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) EndBySignal(WTERMSIG(status));
  }
  [[noreturn]] static void EndBySignal(int signal) {
    std::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::kill(::getpid(), signal);
    ::_exit(128 + signal);
  }

  // Whether the daemons answer, within the limit.
  bool Answers() {
    const auto since = steady_clock::now();
    Waiting waiting([this] {
      return fmt::format("the daemon of {} does not answer", fmt::join(mounts_, ", or of "));
    });
    bool has_waited = false;
    const auto is_to_stop = [&] {
      return is_told_to_stop_ && steady_clock::now() - since > kSilence;
    };
    const auto goes_on = [&] {
      has_waited = true;
      while (AwaitSignal(milliseconds(0))) EndWithChild();
      EndWithChild();
      return !is_to_stop() && (DoesOtherWait() || waiting.GoesOn());
    };
    const auto asked = DoAside([this] { return Ask(); }, goes_on);
    if (!asked && asked.error().code == ErrorCode::kIo) {
      // A signal that has yet to be forwarded ends the wait, too.
      return !is_to_stop() && !IsWaitLimitReached();
    }
    if (has_waited) RenewWaits();
    return true;
  }
  std::string Ask() const {
    for (const std::string& mount : mounts_) {
      struct statfs status {};
      static_cast<void>(::statfs(mount.c_str(), &status));
    }
    return {};
  }

  void GiveUpChild() const {
    ::kill(child_, SIGKILL);
    for (const auto end = steady_clock::now() + kDying; steady_clock::now() < end;) {
      if (::waitpid(child_, nullptr, WNOHANG) != 0) break;
      std::this_thread::sleep_for(kStep);
    }
    [[maybe_unused]] const ssize_t told =
        ::write(told_.number(), "c", 1);  // the keeper may be gone
    AwaitKeeper([this] { return shared_.is_closed.load(); });
  }
  // Waits for a short time.
  void AwaitKeeper(const std::function<bool()>& is_done) const {
    for (const auto end = steady_clock::now() + kSilence;
         steady_clock::now() < end && !is_done();) {
      std::this_thread::sleep_for(kStep);
    }
  }

  const pid_t child_;
  const pid_t keeper_;
  Descriptor told_;  // the keeper's orders; its end makes the keeper exit
  Shared& shared_;
  const std::vector<std::string> mounts_;
  const sigset_t signals_;
  bool is_told_to_stop_ = false;
};

// The descriptors of files in the mounts, or of all other files.
std::vector<int> FilesOpen(const std::vector<std::string>& mounts, bool in_mounts) {
  std::vector<int> files;
  std::error_code error;
  for (std::filesystem::directory_iterator file("/proc/self/fd", error), end; !error && file != end;
       file.increment(error)) {
    std::error_code unreadable;
    const std::string place = std::filesystem::read_symlink(file->path(), unreadable).string();
    const bool is_in_mount = std::ranges::any_of(
        mounts, [&](const std::string& mount) { return IsWithin(place, mount); });
    if (is_in_mount == in_mounts) files.push_back(std::atoi(file->path().filename().c_str()));
  }
  return files;
}

// Not the files in the mounts: closing them may wait until the daemons continue.
void CloseOthers(const std::vector<std::string>& mounts) {
  for (const int file : FilesOpen(mounts, /*in_mounts=*/false)) ::close(file);
}

// The watcher must not have the mounts' files open: writing to them, or closing them, would wait
// for the daemons.
void LetGoOf(const std::vector<std::string>& mounts) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int file : FilesOpen(mounts, /*in_mounts=*/true)) ::dup2(nothing.number(), file);
}

[[noreturn]] void Keep(int told, Shared& shared, const std::vector<std::string>& mounts) {
  char word = 0;
  while (::read(told, &word, 1) < 0 && errno == EINTR) continue;
  if (word != 0) CloseOthers(mounts);
  shared.is_closed = true;
  ::_exit(0);
}

enum class Role { kWorks, kWatched };

// Splits the command. Returns at once in the worker, and in the watcher once it has given up the
// worker. If no process can be started, this process works unwatched.
Role Part(const std::vector<std::string>& mounts) {
  Shared* const shared = MakeShared();
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
