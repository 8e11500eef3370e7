// posix_spawn with standard output and error in one pipe.

#include "cli/base/subprocess.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "cli/base/descriptor.h"

namespace kvfs::cli {
namespace {

std::vector<char*> ArgumentPointers(const std::vector<std::string>& command) {
  std::vector<char*> pointers;
  for (const std::string& argument : command)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string ReadToEnd(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t count = 0;
  while ((count = ::read(descriptor, buffer.data(), buffer.size())) > 0 ||
         (count < 0 && errno == EINTR)) {
    if (count > 0) text.append(buffer.data(), static_cast<size_t>(count));
  }
  return text;
}

int WaitForExit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Subprocess RunProgram(const std::vector<std::string>& command) {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writer.number(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, writer.number(), STDERR_FILENO);
  pid_t pid = 0;
  Subprocess result;
  result.started = ::posix_spawnp(&pid, command.front().c_str(), &actions, nullptr,
                                  ArgumentPointers(command).data(), ::environ) == 0;
  ::posix_spawn_file_actions_destroy(&actions);
  writer.Close();
  if (!result.started) return result;
  result.messages = ReadToEnd(reader.number());
  while (result.messages.ends_with('\n')) result.messages.pop_back();
  result.exit_status = WaitForExit(pid);
  return result;
}

}  // namespace kvfs::cli
