// Lack of memory as an error: no exception leaves the store.
//
// A failed allocation throws, deep inside, and destructors undo what was begun. At the public
// boundary, and at the start of a thread, the exception becomes kUnavailable. Where a change has
// been decided and cannot be undone, the deciding code catches the exception first, and the store
// refuses changes until it is reopened (commit.h, checkpointer.h).
#pragma once

#include <new>
#include <system_error>
#include <utility>

#include <kvfs/status.h>

namespace kvfs {

// Short enough to need no memory of its own.
inline Error OutOfMemory() { return {ErrorCode::kUnavailable, "out of memory"}; }

// Returns the Result of `call`; kUnavailable if it throws for lack of memory or threads. Other
// exceptions, such as a visitor's fmt::print on a full disk, pass through.
template <typename Call>
auto WithinMemory(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return tl::unexpected(OutOfMemory());
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) throw;
    return tl::unexpected(Error{ErrorCode::kUnavailable, "no threads left"});
  }
}

}  // namespace kvfs
