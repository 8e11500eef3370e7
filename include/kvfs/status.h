// Errors as values: every fallible function of kvfs returns Result<T>.
//
// An Error says what went wrong in two ways: a code for the program that must decide, and a
// sentence for the person who must act. The codes are kvfs's own; errno enters in one function
// (store/env/posix_error.cc) and leaves in one table (fs/fuse/errno.cc).
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace kvfs {

enum class ErrorCode {
  kNotFound,     // no such key, file or store
  kExists,       // the key or file is already there, and the caller asked for a new one
  kInvalid,      // the caller's argument is outside what is allowed
  kTooLarge,     // a value or batch above its documented limit
  kNoSpace,      // the disk (or the store's share of it) is full
  kCorrupt,      // stored bytes fail their checksum or make no sense
  kUnsupported,  // a format version or feature that this program does not know
  kInUse,        // another process has the store open
  kPermission,   // the operating system forbids it
  kReadOnly,     // the store refuses changes, because of an earlier I/O failure
  kIo,           // the operating system reports a failed read, write or sync
  kConflict,     // the entry is not of the version that the caller expected
  kRetry,        // inside the store only: the same again, with more locks or room
  kInternal,     // a fault of the program: one of its own contracts is broken; nothing was changed
  // The following come from the file system layer only.
  kNotDirectory,
  kIsDirectory,
  kNotEmpty,
  kNameTooLong,
  kTooManyLinks,
  kStale,  // an inode that the file system no longer knows
  // Of all layers. Last, as the numbers go between a command and a daemon.
  kUnavailable,  // this process or machine cannot do it now: it lacks memory, address space or file
                 // descriptors; what is stored is not concerned, and the call may be repeated
};

struct Error {
  ErrorCode code;
  // What failed, on what, and why, without a final full stop. May be empty for the codes that are
  // ordinary answers (kNotFound, kExists), so that a miss costs no allocation.
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> Fail(ErrorCode code, std::string message = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace kvfs

// Returns the error of `expression`, a Result, to the caller, if it holds one. The caller's own
// result has errors of the same type.
#define KVFS_TRY(expression)                                     \
  do {                                                           \
    if (auto kvfs_try_result = (expression); !kvfs_try_result) { \
      return tl::unexpected(std::move(kvfs_try_result).error()); \
    }                                                            \
  } while (false)

// Declares `declaration` with the value of `expression`, or returns its error to the caller.
#define KVFS_ASSIGN(declaration, expression) \
  KVFS_ASSIGN_IMPL_(KVFS_JOIN_(kvfs_assign_, __LINE__), declaration, expression)
#define KVFS_ASSIGN_IMPL_(temporary, declaration, expression)          \
  auto temporary = (expression);                                       \
  if (!temporary) return tl::unexpected(std::move(temporary).error()); \
  declaration = *std::move(temporary)
#define KVFS_JOIN_(a, b) KVFS_JOIN2_(a, b)
#define KVFS_JOIN2_(a, b) a##b
