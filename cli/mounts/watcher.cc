// Waits for signals, and for the daemons' answers, by turns.

#include "cli/mounts/watcher.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "cli/base/aside.h"
#include "cli/base/interruption.h"
#include "cli/base/waiting.h"

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

[[noreturn]] void EndBySignal(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::kill(::getpid(), signal);
  ::_exit(128 + signal);
}

}  // namespace

sigset_t WatchedSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : kSignals) ::sigaddset(&signals, signal);
  ::sigaddset(&signals, SIGCHLD);
  return signals;
}

void Watch::Run() {
  do {
    Pause();
  } while (DoesOtherWait() || Answers());
  GiveUpChild();
}

// Every child's exit causes a signal, also that of the processes that check the daemons.
void Watch::Pause() {
  const auto end = steady_clock::now() + kPause;
  for (auto rest = kPause; rest.count() > 0;
       rest = std::chrono::ceil<milliseconds>(end - steady_clock::now())) {
    AwaitSignal(rest);
    EndWithChild();
  }
}

// Forwards a signal to the child, which may have received it itself, too.
bool Watch::AwaitSignal(milliseconds time) {
  const timespec limit{0, std::chrono::nanoseconds(time).count()};
  siginfo_t info{};
  const int signal = ::sigtimedwait(&signals_, &info, &limit);
  if (signal <= 0 || signal == SIGCHLD || IsIgnored(signal)) return signal > 0;
  is_told_to_stop_ = true;
  ::kill(child_, signal);
  return true;
}

void Watch::EndWithChild() {
  int status = 0;
  if (::waitpid(child_, &status, WNOHANG) != child_) return;
  // Files that the child has left open are closed when the keeper exits.
  told_ = Descriptor();
  AwaitKeeper([this] { return ::waitpid(keeper_, nullptr, WNOHANG) != 0; });
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) EndBySignal(WTERMSIG(status));
}

// Whether the daemons answer, within the limit.
bool Watch::Answers() {
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

std::string Watch::Ask() const {
  for (const std::string& mount : mounts_) {
    struct statfs status {};
    static_cast<void>(::statfs(mount.c_str(), &status));
  }
  return {};
}

void Watch::GiveUpChild() const {
  ::kill(child_, SIGKILL);
  for (const auto end = steady_clock::now() + kDying; steady_clock::now() < end;) {
    if (::waitpid(child_, nullptr, WNOHANG) != 0) break;
    std::this_thread::sleep_for(kStep);
  }
  [[maybe_unused]] const ssize_t told = ::write(told_.number(), "c", 1);  // or the keeper is gone
  AwaitKeeper([this] { return shared_.is_closed.load(); });
}

// Waits for a short time.
void Watch::AwaitKeeper(const std::function<bool()>& is_done) const {
  for (const auto end = steady_clock::now() + kSilence; steady_clock::now() < end && !is_done();) {
    std::this_thread::sleep_for(kStep);
  }
}

}  // namespace kvfs::cli
