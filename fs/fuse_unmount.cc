// umount2 where the process may, fusermount3 (which is setuid root) where it may not.
#include "fs/fuse_unmount.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace kvfs::fs {
namespace {

void Flush(const std::string& mountpoint) {
  const int directory = open(mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  static_cast<void>(syncfs(directory));
  close(directory);
}

bool RunFusermount(const std::string& mountpoint) {
  std::string program = "fusermount3", unmount = "-u", quietly = "-q", end = "--", at = mountpoint;
  char* arguments[] = {program.data(), unmount.data(), quietly.data(),
                       end.data(),     at.data(),      nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments, environ) != 0) return false;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

bool FlushAndUnmount(const std::string& mountpoint) {
  Flush(mountpoint);
  if (umount2(mountpoint.c_str(), UMOUNT_NOFOLLOW) == 0) return true;
  return errno == EPERM && RunFusermount(mountpoint);
}

}  // namespace kvfs::fs
