// The table from errno to ErrorCode, and the opening of files.

#include "store/env/posix_error.h"

#include <fcntl.h>

#include <cerrno>
#include <system_error>

namespace kvfs {
namespace {

constexpr mode_t kOwnerOnly = 0600;

ErrorCode CodeOf(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:  // a file where the path needs a directory: the target does not exist
      return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorCode::kExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // above RLIMIT_FSIZE, or what the file system allows
      return ErrorCode::kNoSpace;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case EINVAL:
    case ENAMETOOLONG:
      return ErrorCode::kInvalid;
    // Errors of the medium, or of its file system. Only these may count as damage of stored data.
    case EIO:
    case EBADMSG:  // a checksum of the file system's own
    case EUCLEAN:  // the file system is inconsistent
    case ENODATA:  // how a block device reports a bad sector
    case EREMOTEIO:
    case EILSEQ:  // a block device's protection information
      return ErrorCode::kIo;
    // ENOMEM, EMFILE, ENFILE, EAGAIN, EINTR, ...: temporary, in this process or machine.
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

namespace {

// Clarifies "File too large": it is not a lack of space, but a limit, and which one.
std::string ReasonOf(int number) {
  if (number != EFBIG) return std::generic_category().message(number);
  return "the file size limit is exceeded: of this process (`ulimit -f`, "
         "LimitFSIZE= of a service), which may be raised, or of its file system";
}

}  // namespace

tl::unexpected<Error> PosixError(std::string_view operation, const std::string& path, int number) {
  std::string message = "cannot ";
  message.append(operation).append(" ").append(path).append(": ");
  return Fail(CodeOf(number), message + ReasonOf(number));
}

Result<Descriptor> OpenDescriptor(const std::string& path, int flags, std::string_view operation) {
  while (true) {
    const int number =
        OpenAboveStreams([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly); });
    if (number >= 0) return Descriptor(number);
    if (errno != EINTR) return PosixError(operation, path, errno);
  }
}

}  // namespace kvfs
