// Each opening checks the numbers of standard streams: three system calls of some hundred
// nanoseconds, beside one that takes microseconds.

#include "store/env/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace kvfs {
namespace {

constexpr int kStreams = STDERR_FILENO + 1;

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

int Descriptor::Release() { return std::exchange(number_, -1); }

// O_PATH: reads and writes fail with EBADF, as on a closed number.
StreamsTaken::StreamsTaken() {
  for (int stream = 0; stream < kStreams; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    const int number = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (number >= 0 && number < kStreams) {
      taken_[static_cast<size_t>(number)] = true;
    } else if (number >= 0) {
      ::close(number);
    }
  }
}

// Another thread may have replaced the descriptor by dup2 meanwhile: that one is kept.
StreamsTaken::~StreamsTaken() {
  const int failure = errno;
  for (int stream = 0; stream < kStreams; ++stream) {
    if (!taken_[static_cast<size_t>(stream)]) continue;
    const int flags = ::fcntl(stream, F_GETFL);
    if (flags >= 0 && (flags & O_PATH) != 0) ::close(stream);
  }
  errno = failure;
}

int MoveAboveStreams(int number) {
  if (number < 0 || number >= kStreams) return number;
  const int moved = ::fcntl(number, F_DUPFD_CLOEXEC, kStreams);
  const int failure = errno;
  ::close(number);
  errno = failure;
  return moved;
}

}  // namespace kvfs
