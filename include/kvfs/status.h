// Errors as values: every fallible function of kvfs returns Result<T>.
//
// An Error has a code, by which the program decides, and a sentence, by which a person can act. The
// codes are kvfs's own; errno enters in one function (store/env/posix_error.cc) and leaves in one
// table (fs/fuse/errno.cc).
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace kvfs {

enum class ErrorCode {
  kNotFound,     // no such key, file or store
  kExists,       // the key or file exists, and the caller asked for a new one
  kInvalid,      // an argument is outside its allowed range
  kTooLarge,     // a value or batch above its documented limit
  kNoSpace,      // the disk (or the store's share of it) is full
  kCorrupt,      // stored bytes fail their checksum or are malformed
  kUnsupported,  // a format version or feature unknown to this program
  kInUse,        // another process has the store open
  kPermission,   // the operating system denies access
  kReadOnly,     // the store refuses changes, because of an earlier I/O failure
  kIo,           // the operating system reports a failed read, write or sync
  kConflict,     // the entry does not have the version that the caller expected
  kCancelled,    // the caller, or a signal, has ended the call before it was done
  kInternal,     // a bug: one of the program's own contracts is broken; nothing was changed
  // The following come from the file system layer only.
  kNotDirectory,
  kIsDirectory,
  kNotEmpty,
  kNameTooLong,
  kTooManyLinks,
  kStale,  // an inode that no longer exists
  // Of all layers. Last, because commands and daemons exchange these numbers.
  kUnavailable,  // this process or machine cannot do it now: it lacks memory, address space or file
                 // descriptors; stored data is unaffected, and the call may be repeated
};

struct Error {
  ErrorCode code;
  // What failed, on what, and why, without a final full stop. May be empty for codes that are
  // ordinary answers (kNotFound, kExists), so that a miss costs no allocation.
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> Fail(ErrorCode code, std::string message = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace kvfs

// Evaluates `expression`, a Result; if it holds an error, returns that error from the calling
// function, which must return a Result, too.
#define KVFS_TRY(expression)                                     \
  do {                                                           \
    if (auto kvfs_try_result = (expression); !kvfs_try_result) { \
      return tl::unexpected(std::move(kvfs_try_result).error()); \
    }                                                            \
  } while (false)

// Initialises `declaration` with the value of `expression`, or returns its error to the caller.
#define KVFS_ASSIGN(declaration, expression) \
  KVFS_ASSIGN_IMPL_(KVFS_JOIN_(kvfs_assign_, __LINE__), declaration, expression)
#define KVFS_ASSIGN_IMPL_(temporary, declaration, expression)          \
  auto temporary = (expression);                                       \
  if (!temporary) return tl::unexpected(std::move(temporary).error()); \
  declaration = *std::move(temporary)
#define KVFS_JOIN_(a, b) KVFS_JOIN2_(a, b)
#define KVFS_JOIN2_(a, b) a##b
