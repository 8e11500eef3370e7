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
#include <string>

#include <kvfs/status.h>

namespace kvfs {

// (The compilers' own words for where a call stands: clang has had std::source_location only since
// version 15.)
[[nodiscard]] inline tl::unexpected<Error> BrokenContract(const char* contract,
                                                          const char* file = __builtin_FILE(),
                                                          int line = __builtin_LINE()) {
  return Fail(ErrorCode::kInternal, "a fault of the program at " + std::string(file) + ":" +
                                        std::to_string(line) + ": " + contract);
}

inline void Demand(bool holds, const char* contract, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "kvfs: a fault of the program at %s:%d: %s; it ends here to save the data\n",
               file, line, contract);
  std::abort();
}

}  // namespace kvfs

#define KVFS_REQUIRE(condition, contract)      \
  do {                                         \
    if (!(condition)) [[unlikely]] {           \
      return ::kvfs::BrokenContract(contract); \
    }                                          \
  } while (false)
