// The answer arrives through a pipe, which is read until its end.

#include "cli/base/aside.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include "cli/base/descriptor.h"
#include "cli/base/waiting.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kStepMs = 100;
constexpr milliseconds kGlance{1'000};
// Attempts within which a killable process ends.
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
  // Programs that the child starts must not hold the pipe open.
  ::fcntl(kPipe, F_SETFD, FD_CLOEXEC);
  WriteAll(kPipe, work());
  ::_exit(0);
}

enum class Came { kNothing, kPart, kEnd };

// Waits for one step at most.
Came ReadWhatCame(int pipe, std::string& answer) {
  pollfd readable{pipe, POLLIN, 0};
  if (::poll(&readable, 1, kStepMs) <= 0) return Came::kNothing;
  std::array<char, 65'536> buffer;
  const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR ? Came::kNothing : Came::kEnd;
  answer.append(buffer.data(), static_cast<size_t>(count));
  return count == 0 ? Came::kEnd : Came::kPart;
}

// One running piece of work.
class Aside {
 public:
  explicit Aside(const std::function<std::string()>& work) {
    std::array<int, 2> ends;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      failure_ = {ErrorCode::kUnavailable, "this process has no free file descriptors"};
      return;
    }
    reader_ = Descriptor(ends[0]);
    Descriptor writer(ends[1]);
    child_ = ::fork();
    if (child_ == 0) RunChild(work, writer.number());
    if (child_ < 0) failure_ = {ErrorCode::kUnavailable, "the system cannot start another process"};
  }
  ~Aside() {
    if (IsUnderWay()) KillAndLeave();
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // The answer; kIo if `waits_on` returned false first.
  Result<std::string> Await(const WaitsOn& waits_on) {
    if (!IsUnderWay()) return tl::unexpected(failure_);
    for (Came came = Came::kNothing; came != Came::kEnd;) {
      came = ReadWhatCame(reader_.number(), answer_);
      const bool is_late = came == Came::kNothing && !waits_on();
      if (is_late) return Fail(ErrorCode::kIo, WithWaited("its daemon does not answer"));
    }
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) continue;
    child_ = -1;
    return std::move(answer_);
  }

 private:
  bool IsUnderWay() const { return child_ > 0; }
  void KillAndLeave() const {
    ::kill(child_, SIGKILL);
    for (int attempt = 0; attempt < kReapAttempts; ++attempt) {
      if (::waitpid(child_, nullptr, WNOHANG) != 0) return;
      std::this_thread::sleep_for(kReapPause);
    }
  }

  Descriptor reader_;
  pid_t child_ = -1;
  std::string answer_;
  Error failure_;
};

}  // namespace

Result<std::string> DoAside(const std::function<std::string()>& work, const WaitsOn& waits_on) {
  return Aside(work).Await(waits_on);
}

Result<std::string> GlanceAside(const std::function<std::string()>& work) {
  return std::move(GlanceAside(std::vector{work}).front());
}

std::vector<Result<std::string>> GlanceAside(
    const std::vector<std::function<std::string()>>& works) {
  const auto end = steady_clock::now() + kGlance;
  std::deque<Aside> asides;
  for (const auto& work : works) asides.emplace_back(work);
  std::vector<Result<std::string>> answers;
  answers.reserve(works.size());
  for (Aside& aside : asides) {
    answers.push_back(aside.Await([end] { return steady_clock::now() < end; }));
  }
  return answers;
}

}  // namespace kvfs::cli
