// Want of memory as an error: no exception leaves the store.
//
// What has no memory throws, deep inside, and all that was begun is taken back by destructors. At
// the public boundary, and where a thread begins, the exception becomes kUnavailable. Where a
// change has been decided and cannot be taken back, whoever decided it catches the exception first,
// and the store takes no more changes until it is reopened (commit.h, checkpointer.h).
#pragma once

#include <new>
#include <system_error>
#include <utility>

#include <kvfs/status.h>

namespace kvfs {

// Short enough to need no memory of its own.
inline Error OutOfMemory() { return {ErrorCode::kUnavailable, "out of memory"}; }

// `call`, which returns a Result; kUnavailable if it throws for want of memory or threads. What a
// visitor throws for reasons of its own, as fmt::print does on a full disk, passes through.
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
