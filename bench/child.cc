// fork and exec of /proc/self/exe, with a pipe for its standard output.
#include "bench/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "bench/stop.h"

namespace kvfs::bench {
namespace {

[[noreturn]] void Become(const std::vector<std::string>& arguments, int output) {
  std::string name = "store_bench";
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers = {name.data()};
  for (std::string& argument : copies) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::execv("/proc/self/exe", pointers.data());
  ::_exit(127);
}

std::string ReadAll(int input) {
  std::string text;
  std::array<char, 4096> part;
  for (;;) {
    const ssize_t got = ::read(input, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(part.data(), static_cast<size_t>(got));
  }
}

std::string FailureOf(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return fmt::format("cannot wait for it: {}", std::strerror(errno));
  }
  if (WIFSIGNALED(status)) {
    return fmt::format("ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) return fmt::format("ended with status {}", WEXITSTATUS(status));
  return {};
}

}  // namespace

ChildOutcome RunSelf(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) Stop("cannot make a pipe");
  const pid_t child = ::fork();
  if (child < 0) Stop(fmt::format("cannot start a process: {}", std::strerror(errno)));
  if (child == 0) Become(arguments, ends[1]);
  ::close(ends[1]);
  ChildOutcome outcome{.output = ReadAll(ends[0])};
  ::close(ends[0]);
  outcome.failure = FailureOf(child);
  return outcome;
}

}  // namespace kvfs::bench
