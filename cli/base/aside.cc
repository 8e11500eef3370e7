// The answer comes through a pipe, which is read until its end.

#include "cli/base/aside.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "cli/base/descriptor.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kStepMs = 100;
constexpr milliseconds kGlance{1'000};
// In which a process that can be killed is gone.
constexpr int kReapAttempts = 20;
constexpr milliseconds kReapPause{2};

void WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) text.remove_prefix(static_cast<size_t>(count));
  }
}

[[noreturn]] void RunChild(const std::function<std::string()>& work, int pipe) {
  constexpr int kPipe = STDERR_FILENO + 1;
  if (pipe != kPipe) ::dup2(pipe, kPipe);
  ::close_range(kPipe + 1, ~0U, 0);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
  // What it starts has no part in the answer.
  ::fcntl(kPipe, F_SETFD, FD_CLOEXEC);
  WriteAll(kPipe, work());
  ::_exit(0);
}

// Whether the answer has ended within a step.
bool ReadWhatCame(int pipe, std::string& answer) {
  pollfd readable{pipe, POLLIN, 0};
  if (::poll(&readable, 1, kStepMs) <= 0) return false;
  std::array<char, 65'536> buffer;
  const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
  if (count > 0) answer.append(buffer.data(), static_cast<size_t>(count));
  return count == 0 || (count < 0 && errno != EINTR);
}

void KillAndLeave(pid_t child) {
  ::kill(child, SIGKILL);
  for (int attempt = 0; attempt < kReapAttempts; ++attempt) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(kReapPause);
  }
}

}  // namespace

Result<std::string> DoAside(const std::function<std::string()>& work, const WaitsOn& waits_on) {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Fail(ErrorCode::kUnavailable, "the system gives this process no more descriptors");
  }
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) RunChild(work, writer.number());
  writer.Close();
  if (child < 0) return Fail(ErrorCode::kUnavailable, "the system gives no more processes");
  std::string answer;
  while (!ReadWhatCame(reader.number(), answer)) {
    if (waits_on()) continue;
    KillAndLeave(child);
    return Fail(ErrorCode::kIo, "its daemon does not answer");
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  return answer;
}

Result<std::string> GlanceAside(const std::function<std::string()>& work) {
  const auto end = steady_clock::now() + kGlance;
  return DoAside(work, [end] { return steady_clock::now() < end; });
}

}  // namespace kvfs::cli
