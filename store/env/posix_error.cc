// The table from errno to ErrorCode, and descriptors that close themselves.

#include "store/env/posix_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace kvfs {
namespace {

constexpr mode_t kOwnerOnly = 0600;

ErrorCode CodeOf(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:  // a file where the path needs a directory: what was asked for is not there
      return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorCode::kExists;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case EFBIG:
      return ErrorCode::kTooLarge;
    case EINVAL:
    case ENAMETOOLONG:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

tl::unexpected<Error> PosixError(std::string_view operation, const std::string& path, int number) {
  std::string message = "cannot ";
  message.append(operation).append(" ").append(path).append(": ");
  return Fail(CodeOf(number), message + std::generic_category().message(number));
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<Descriptor> OpenDescriptor(const std::string& path, int flags, std::string_view operation) {
  while (true) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly);
    if (number >= 0) return Descriptor(number);
    if (errno != EINTR) return PosixError(operation, path, errno);
  }
}

}  // namespace kvfs
