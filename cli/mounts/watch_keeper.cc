// Files are told apart by the paths in /proc/self/fd.

#include "cli/mounts/watch_keeper.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "cli/base/descriptor.h"
#include "cli/base/paths.h"

namespace kvfs::cli {
namespace {

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

}  // namespace

pid_t CloneBeside() {
  return static_cast<pid_t>(::syscall(SYS_clone, CLONE_FILES | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
}

[[noreturn]] void Keep(int told, WatchShared& shared, const std::vector<std::string>& mounts) {
  char word = 0;
  while (::read(told, &word, 1) < 0 && errno == EINTR) continue;
  if (word != 0) CloseOthers(mounts);
  shared.is_closed = true;
  ::_exit(0);
}

void LetGoOf(const std::vector<std::string>& mounts) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int file : FilesOpen(mounts, /*in_mounts=*/true)) ::dup2(nothing.number(), file);
}

}  // namespace kvfs::cli
