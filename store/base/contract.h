// Preconditions between parts ("X must come before Y"), checked in every build: a part that is used
// in the wrong state could overwrite acknowledged data.
//
//   KVFS_REQUIRE(condition, "what must hold");  in a function that returns a Result: kInternal,
//                                               and nothing has been changed
//   Demand(condition, "what must hold");        where no error can be returned, and going on would
//                                               destroy data: ends the process, with these words
//
// Both are for bugs of the program; failures of callers, the disk or the system have their own
// errors.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string>

#include <kvfs/status.h>

namespace kvfs {

[[nodiscard]] inline tl::unexpected<Error> BrokenContract(const char* contract,
                                                          const std::source_location& where) {
  return Fail(ErrorCode::kInternal, "a fault of the program at " + std::string(where.file_name()) +
                                        ":" + std::to_string(where.line()) + ": " + contract);
}

inline void Demand(bool holds, const char* contract,
                   const std::source_location& where = std::source_location::current()) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "kvfs: a fault of the program at %s:%u: %s; it ends here to save the data\n",
               where.file_name(), static_cast<unsigned>(where.line()), contract);
  std::abort();
}

}  // namespace kvfs

#define KVFS_REQUIRE(condition, contract)                                       \
  do {                                                                          \
    if (!(condition)) [[unlikely]] {                                            \
      return ::kvfs::BrokenContract(contract, std::source_location::current()); \
    }                                                                           \
  } while (false)
