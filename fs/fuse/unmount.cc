// umount2 if permitted, otherwise fusermount3 (which is setuid root).
#include "fs/fuse/unmount.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace kvfs::fs {
namespace {

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

Unmounted FlushAndUnmount(FuseAgent& agent, const std::string& mountpoint, int cancel) {
  const int error = agent.FlushAndUnmount(mountpoint, cancel);
  if (error == ECANCELED) return Unmounted::kCancelled;
  const bool is_unmounted = error == 0 || (error == EPERM && RunFusermount(mountpoint));
  return is_unmounted ? Unmounted::kYes : Unmounted::kNo;
}

}  // namespace kvfs::fs
