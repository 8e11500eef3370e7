// Whether the test runs under a sanitizer: these look for other faults than the tests do, wherever
// code runs, and are slow. So what repeats the same with many seeds repeats it less often; and so
// it does where branches are counted.
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
