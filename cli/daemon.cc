// The fork, the pipe, and what each side does with its end.

#include "cli/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/descriptor.h"

namespace kvfs::cli {
namespace {

// The child's end of the pipe.
class StartReport {
 public:
  explicit StartReport(Descriptor pipe) : pipe_(std::move(pipe)) {}

  bool Ready() { return Send(std::string(1, '\0')); }
  void Failed(const Failure& failure) { Send(static_cast<char>(failure.code) + failure.text); }

 private:
  // False if the parent is gone. Only the first report counts.
  bool Send(const std::string& report) {
    if (sent_.exchange(true)) return true;
    const ssize_t count = ::write(pipe_.number(), report.data(), report.size());
    return pipe_.Close() && count == static_cast<ssize_t>(report.size());
  }

  Descriptor pipe_;
  std::atomic<bool> sent_{false};
};

// Descriptors that the caller happened to have open would stay open as long as the daemon lives.
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

[[noreturn]] void RunChild(const Work& work, Descriptor pipe) {
  ::setsid();
  std::signal(SIGPIPE, SIG_IGN);
  CloseInheritedDescriptors(pipe.number());
  StartReport report(std::move(pipe));
  const Outcome outcome = work([&report] {
    LeaveDirectory();
    LeaveStandardStreams();
    return report.Ready();
  });
  if (outcome) ::_exit(0);
  report.Failed(outcome.error());
  ::_exit(static_cast<int>(outcome.error().code));
}

std::string ReadReport(int pipe) {
  std::string report;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count > 0) report.append(buffer.data(), static_cast<size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return report;
  }
}

Outcome ExplainDeath(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return Stop(ExitCode::kMountFailed,
              WIFSIGNALED(status)
                  ? fmt::format("the daemon was killed by signal {} ({}) before it was ready",
                                WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                  : "the daemon ended before it was ready");
}

Outcome Await(pid_t child, Descriptor pipe) {
  const std::string report = ReadReport(pipe.number());
  if (report.empty()) return ExplainDeath(child);
  const auto code = static_cast<ExitCode>(report.front());
  if (code == ExitCode::kOk) return {};
  return Stop(code, report.substr(1));
}

}  // namespace

Outcome RunInBackground(const Work& work) {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Stop(ExitCode::kIoFailed, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    return Stop(ExitCode::kIoFailed,
                fmt::format("cannot start a process: {}", std::strerror(errno)));
  }
  if (child == 0) RunChild(work, std::move(writer));
  writer.Close();
  return Await(child, std::move(reader));
}

}  // namespace kvfs::cli
