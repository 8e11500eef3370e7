// The fork, the socket pair, and each side's use of it.

#include "cli/daemon/background.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "cli/base/descriptor.h"

namespace kvfs::cli {
namespace {

constexpr char kHeard = 'h';

bool SendAll(int socket, const std::string& text) {
  return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

// The child's end. If the parent dies, the other end is closed.
class StartReport {
 public:
  explicit StartReport(Descriptor socket) : socket_(std::move(socket)) {}

  // Ends the process, as by SIGTERM, if the parent dies before the report.
  void WatchParent() const {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([this] {
      pollfd hung_up{socket_.number(), POLLRDHUP, 0};
      while (::poll(&hung_up, 1, -1) < 0 && errno == EINTR) continue;
      if (!sent_) ::kill(::getpid(), SIGTERM);
    }).detach();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  // False if the parent died without receiving it.
  bool Ready() {
    if (!Send(std::string(1, '\0'))) return false;
    char answer = 0;
    ssize_t count = -1;
    while ((count = ::recv(socket_.number(), &answer, 1, 0)) < 0 && errno == EINTR) continue;
    return count == 1 && answer == kHeard;
  }
  void Failed(const CommandError& failure) { Send(static_cast<char>(failure.code) + failure.text); }

 private:
  // Only the first report counts.
  bool Send(const std::string& report) {
    if (sent_.exchange(true)) return true;
    return SendAll(socket_.number(), report) && ::shutdown(socket_.number(), SHUT_WR) == 0;
  }

  const Descriptor socket_;  // open as long as the process lives, since its thread looks at it
  std::atomic<bool> sent_{false};
};

// Otherwise the caller's open descriptors would stay open as long as the daemon lives.
void CloseInheritedDescriptors(int kept) {
  const auto number = static_cast<unsigned>(kept);
  if (number > STDERR_FILENO + 1) ::close_range(STDERR_FILENO + 1, number - 1, 0);
  ::close_range(number + 1, ~0U, 0);
}

void LeaveStandardStreams() {
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null.number(), stream);
  }
}

// A daemon must not keep the caller's directory busy. All its paths are absolute.
void LeaveDirectory() { [[maybe_unused]] const int ignored = ::chdir("/"); }

[[noreturn]] void RunChild(const Work& work, Descriptor socket) {
  ::setsid();
  std::signal(SIGPIPE, SIG_IGN);
  CloseInheritedDescriptors(socket.number());
  StartReport report(std::move(socket));
  report.WatchParent();
  const CommandResult<> outcome = work([&report] {
    LeaveDirectory();
    LeaveStandardStreams();
    return report.Ready();
  });
  if (outcome) ::_exit(0);
  report.Failed(outcome.error());
  ::_exit(static_cast<int>(outcome.error().code));
}

std::string ReadReport(int socket) {
  std::string report;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t count = ::read(socket, buffer.data(), buffer.size());
    if (count > 0) report.append(buffer.data(), static_cast<size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return report;
  }
}

CommandResult<> ExplainDeath(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return Fail(ExitCode::kMountFailed,
              WIFSIGNALED(status)
                  ? fmt::format("the daemon was killed by signal {} ({}) before it was ready",
                                WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                  : "the daemon ended before it was ready");
}

CommandResult<> Await(pid_t child, const Descriptor& socket) {
  const std::string report = ReadReport(socket.number());
  if (report.empty()) return ExplainDeath(child);
  const auto code = static_cast<ExitCode>(report.front());
  if (code == ExitCode::kOk) {
    return SendAll(socket.number(), {kHeard}) ? CommandResult<>() : ExplainDeath(child);
  }
  return Fail(code, report.substr(1));
}

}  // namespace

CommandResult<> RunInBackground(const Work& work) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Fail(ExitCode::kIoFailed, fmt::format("cannot make sockets: {}", std::strerror(errno)));
  }
  const Descriptor parents(ends[0]);
  Descriptor childs(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    return Fail(ExitCode::kIoFailed,
                fmt::format("cannot start a process: {}", std::strerror(errno)));
  }
  if (child == 0) RunChild(work, std::move(childs));
  childs.Close();
  return Await(child, parents);
}

}  // namespace kvfs::cli
