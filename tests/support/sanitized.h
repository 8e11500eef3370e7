// Whether the test runs under a sanitizer: these look for other faults than the tests do, wherever
// code runs, and are slow. So what repeats the same with many seeds repeats it less often.
#pragma once

namespace kvfs {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace kvfs
