// The flock is only tried, never waited for.

#include "cli/client/turn.h"

#include <fcntl.h>
#include <sys/file.h>

namespace kvfs::cli {

Turn::Turn(const std::string& store_path)
    : directory_(::open(store_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

bool Turn::IsFree() const {
  if (!directory_.valid() || ::flock(directory_.number(), LOCK_SH | LOCK_NB) != 0) {
    return !directory_.valid();
  }
  ::flock(directory_.number(), LOCK_UN);
  return true;
}

void Turn::Take() {
  if (directory_.valid()) static_cast<void>(::flock(directory_.number(), LOCK_EX | LOCK_NB));
}

}  // namespace kvfs::cli
