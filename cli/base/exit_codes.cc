// Tables from error codes to exit codes, for stores, for keys, and for other files.

#include "cli/base/exit_codes.h"

namespace kvfs::cli {

ExitCode ExitCodeOfStore(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kExists:
    case ErrorCode::kNotDirectory:
      return ExitCode::kNoStore;
    case ErrorCode::kInvalid:
    case ErrorCode::kTooLarge:
      return ExitCode::kUsage;
    default:
      return ExitCodeOfKey(code);
  }
}

ExitCode ExitCodeOfKey(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return ExitCode::kNoSuchKey;
    case ErrorCode::kTooLarge:
    case ErrorCode::kNameTooLong:
      return ExitCode::kUsage;
    case ErrorCode::kInvalid:
    case ErrorCode::kExists:
    case ErrorCode::kNotDirectory:
    case ErrorCode::kIsDirectory:
    case ErrorCode::kNotEmpty:
    case ErrorCode::kTooManyLinks:
      return ExitCode::kWrongKind;
    case ErrorCode::kConflict:
      return ExitCode::kConditionFailed;
    case ErrorCode::kNoSpace:
      return ExitCode::kNoSpace;
    case ErrorCode::kCorrupt:
      return ExitCode::kStoreCorrupt;
    case ErrorCode::kUnsupported:
      return ExitCode::kVersionUnsupported;
    case ErrorCode::kInUse:
      return ExitCode::kStoreInUse;
    case ErrorCode::kPermission:
    case ErrorCode::kReadOnly:
    case ErrorCode::kIo:
    case ErrorCode::kUnavailable:
    case ErrorCode::kStale:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return ExitCode::kIoFailed;
  }
  return ExitCode::kIoFailed;
}

ExitCode ExitCodeOfFile(ErrorCode code) {
  return code == ErrorCode::kNoSpace ? ExitCode::kNoSpace : ExitCode::kIoFailed;
}

int OwnStatus(ExitCode code) { return static_cast<int>(code); }

int FsckStatus(ExitCode code) {
  constexpr int kUncorrected = 4;
  constexpr int kOperationalError = 8;
  constexpr int kUsageError = 16;
  constexpr int kCanceled = 32;
  switch (code) {
    case ExitCode::kOk:
      return 0;
    case ExitCode::kStoreCorrupt:
      return kUncorrected;
    case ExitCode::kUsage:
      return kUsageError;
    case ExitCode::kInterrupted:
      return kCanceled;
    default:
      return kOperationalError;
  }
}

}  // namespace kvfs::cli
