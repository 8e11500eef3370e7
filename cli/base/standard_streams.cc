// An O_PATH descriptor only names a file: read(2) and write(2) on it fail with EBADF, as on a
// closed stream. The root directory always exists, unlike /dev/null.

#include "cli/base/standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/base/paths.h"

namespace kvfs::cli {

bool OccupyClosedStreams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // This is the lowest free number, since lower ones are occupied by now.
    if (::open("/", O_PATH | O_DIRECTORY) != stream) return false;
  }
  return true;
}

bool IsClosedStream(int stream) {
  const int flags = ::fcntl(stream, F_GETFL);
  return flags < 0 || (flags & O_PATH) != 0;
}

CommandResult<> RequireStandardInput() {
  if (!IsClosedStream(STDIN_FILENO)) return {};
  return Fail(ExitCode::kIoFailed, "cannot read standard input: it is closed");
}

CommandResult<> RequireStandardOutput() {
  if (!IsClosedStream(STDOUT_FILENO)) return {};
  return tl::unexpected(OutputFailure(EBADF));
}

CommandError OutputFailure(int error_number) {
  const bool is_closed = IsClosedStream(STDOUT_FILENO);
  const Error error = ErrorOfErrno(error_number);
  const bool is_full = !is_closed && error.code == ErrorCode::kNoSpace;
  return {is_full ? ExitCode::kNoSpace : ExitCode::kIoFailed,
          fmt::format("cannot write to standard output: {}",
                      is_closed ? "it is closed" : error.message)};
}

CommandResult<> FlushOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  return tl::unexpected(OutputFailure(errno));
}

}  // namespace kvfs::cli
