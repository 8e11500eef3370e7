// A switch without a default, so that the compiler warns about a missing code.
#include "fs/fuse/errno.h"

#include <cerrno>

namespace kvfs::fs {

int ToErrno(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return ENOENT;
    case ErrorCode::kExists:
      return EEXIST;
    case ErrorCode::kInvalid:
      return EINVAL;
    case ErrorCode::kTooLarge:
      return EFBIG;
    case ErrorCode::kNoSpace:
      return ENOSPC;
    case ErrorCode::kUnsupported:
      return EOPNOTSUPP;
    case ErrorCode::kInUse:
      return EBUSY;
    case ErrorCode::kPermission:
      return EPERM;
    case ErrorCode::kReadOnly:
      return EROFS;
    case ErrorCode::kNotDirectory:
      return ENOTDIR;
    case ErrorCode::kIsDirectory:
      return EISDIR;
    case ErrorCode::kNotEmpty:
      return ENOTEMPTY;
    case ErrorCode::kNameTooLong:
      return ENAMETOOLONG;
    case ErrorCode::kTooManyLinks:
      return EMLINK;
    case ErrorCode::kStale:
      return ESTALE;
    case ErrorCode::kUnavailable:
      return ENOMEM;
    case ErrorCode::kConflict:
      return EAGAIN;
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return EIO;
  }
  return EIO;
}

}  // namespace kvfs::fs
