// posix_spawn with the standard streams in unnamed files, so that no pipe can fill up.

#include "tests/cli/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace kvfs::cli {
namespace {

using Stream = std::unique_ptr<FILE, int (*)(FILE*)>;

Stream UnnamedFile(const std::string& content = {}) {
  Stream file(std::tmpfile(), std::fclose);
  if (file == nullptr) std::abort();
  std::fwrite(content.data(), 1, content.size(), file.get());
  std::rewind(file.get());
  return file;
}

std::string ReadAll(const Stream& file) {
  std::rewind(file.get());
  std::string text;
  for (int c = 0; (c = std::fgetc(file.get())) != EOF;) text += static_cast<char>(c);
  return text;
}

pid_t Spawn(const std::string& program, std::vector<std::string> command,
            const std::vector<int>& streams) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (size_t i = 0; i < streams.size(); ++i) {
    ::posix_spawn_file_actions_adddup2(&actions, streams[i], static_cast<int>(i));
  }
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_t process = 0;
  if (::posix_spawn(&process, program.c_str(), &actions, nullptr, arguments.data(), environ) != 0) {
    std::fprintf(stderr, "cannot start %s\n", program.c_str());
    std::abort();
  }
  ::posix_spawn_file_actions_destroy(&actions);
  return process;
}

ProgramRun RunToEnd(const std::string& program, std::vector<std::string> command,
                    const std::string& input) {
  const Stream in = UnnamedFile(input);
  const Stream out = UnnamedFile();
  const Stream err = UnnamedFile();
  const pid_t process = Spawn(program, std::move(command),
                              {::fileno(in.get()), ::fileno(out.get()), ::fileno(err.get())});
  const int status = AwaitExit(process);
  return {status, ReadAll(out), ReadAll(err)};
}

std::vector<std::string> Prepend(const std::string& first, std::vector<std::string> rest) {
  rest.insert(rest.begin(), first);
  return rest;
}

}  // namespace

const std::string& ProgramPath() {
  // Bazel starts a test in the directory that holds its data.
  static const std::string path = std::filesystem::absolute("kvfs").string();
  return path;
}

ProgramRun RunKvfs(std::vector<std::string> arguments, const std::string& input) {
  return RunToEnd(ProgramPath(), Prepend("kvfs", std::move(arguments)), input);
}

ProgramRun RunKvfsAs(const std::string& name, std::vector<std::string> arguments) {
  return RunToEnd(ProgramPath(), Prepend(name, std::move(arguments)), {});
}

ProgramRun RunShell(const std::string& command) {
  return RunToEnd("/bin/sh", {"sh", "-c", command}, {});
}

pid_t StartKvfs(std::vector<std::string> arguments) {
  return Spawn(ProgramPath(), Prepend("kvfs", std::move(arguments)), {});
}

int AwaitExit(pid_t process) {
  int status = 0;
  if (::waitpid(process, &status, 0) != process) return -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace kvfs::cli
