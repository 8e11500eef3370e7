// The mark, and what the next opener does about it.
#include "store/env/untrue_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kvfs {
namespace {

constexpr mode_t kPermissions = 07777;

}  // namespace

void MarkCacheUntrue(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return;
  static_cast<void>(::fchmod(descriptor, (status.st_mode & kPermissions) | S_ISVTX));
}

// Dirty pages are written first, as they would not be dropped; a failure does not matter here,
// since the unwritten pages are then dropped.
void ForgetUntrueCache(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || (status.st_mode & S_ISVTX) == 0) return;
  static_cast<void>(::fdatasync(descriptor));
  if (::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) != 0) return;
  static_cast<void>(::fchmod(descriptor, status.st_mode & kPermissions & ~mode_t{S_ISVTX}));
}

}  // namespace kvfs
