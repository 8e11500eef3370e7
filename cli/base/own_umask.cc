// umask(2) can be read only by setting it. Nothing changes it later, so it is read once.

#include "cli/base/own_umask.h"

#include <sys/stat.h>

namespace kvfs::cli {

uint32_t OwnUmask() {
  static const mode_t own = [] {
    const mode_t before = ::umask(0077);
    ::umask(before);
    return before;
  }();
  return own;
}

}  // namespace kvfs::cli
