// O_PATH gives a number that only names a file: read(2) and write(2) on it fail with EBADF, as on
// a stream that is closed. The root directory is always there, as /dev/null is not.

#include "cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace kvfs::cli {

bool OccupyClosedStreams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest free number is this one, since those below it are taken by now.
    if (::open("/", O_PATH | O_DIRECTORY) != stream) return false;
  }
  return true;
}

bool IsClosedStream(int stream) {
  const int flags = ::fcntl(stream, F_GETFL);
  return flags < 0 || (flags & O_PATH) != 0;
}

Outcome RequireStandardInput() {
  if (!IsClosedStream(STDIN_FILENO)) return {};
  return Stop(ExitCode::kIoFailed, "cannot read standard input: it is closed");
}

Outcome RequireStandardOutput() {
  if (!IsClosedStream(STDOUT_FILENO)) return {};
  return Stop(ExitCode::kIoFailed, "cannot write to standard output: it is closed");
}

}  // namespace kvfs::cli
