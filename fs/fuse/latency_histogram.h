// How long something took, many times: counts of durations by fixed bounds.
//
// A record is two additions to relaxed atomics, some nanoseconds, and waits for nobody; threads
// share the counters, since a copy for each thread would have to be found and added up by whoever
// reads. Counts only grow. A copy is taken bucket by bucket: its count is the sum of its buckets,
// so one copy always agrees with itself, but its sum may lack a duration that is recorded
// meanwhile.
//
// Threads: safe from many.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kvfs::fs {

// Upper bounds, inclusive: 1, 2 and 5 of each power of ten from a microsecond to ten seconds.
inline constexpr std::array<std::chrono::nanoseconds::rep, 22> kLatencyBoundsNs = {
    1'000,         2'000,         5'000,          //
    10'000,        20'000,        50'000,         //
    100'000,       200'000,       500'000,        //
    1'000'000,     2'000'000,     5'000'000,      //
    10'000'000,    20'000'000,    50'000'000,     //
    100'000'000,   200'000'000,   500'000'000,    //
    1'000'000'000, 2'000'000'000, 5'000'000'000,  //
    10'000'000'000};

struct Latencies {
  // Each bucket by itself, not those below it; the last is for what exceeds all bounds.
  std::array<uint64_t, kLatencyBoundsNs.size() + 1> buckets{};
  uint64_t sum_ns = 0;

  uint64_t Count() const;
  // The duration that `part` (0 to 1) of all stay at or below, taken as spread evenly within a
  // bucket; the largest bound for those beyond it; 0 if there are none.
  double QuantileSeconds(double part) const;
};

class LatencyHistogram {
 public:
  void Record(std::chrono::nanoseconds duration);
  Latencies Copy() const;

 private:
  std::array<std::atomic<uint64_t>, kLatencyBoundsNs.size() + 1> buckets_{};
  std::atomic<uint64_t> sum_ns_{0};
};

}  // namespace kvfs::fs
