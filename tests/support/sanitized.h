// Whether the test runs under a sanitizer: sanitizers find faults in any code that runs, and are
// slow. So tests that repeat with many seeds repeat less often, also when branches are counted.
#pragma once

namespace kvfs {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

#ifdef KVFS_COUNTS_BRANCHES
inline constexpr bool kRepeatsLess = true;
#else
inline constexpr bool kRepeatsLess = kIsSanitized;
#endif

}  // namespace kvfs
