// A histogram of durations, with fixed bucket bounds.
//
// Recording takes two additions to relaxed atomics, some nanoseconds, and is wait-free. Threads
// share the counters, since readers would have to find and add up a copy for each thread. Counts
// only grow. A copy is taken bucket by bucket: its count is the sum of its buckets, so a copy is
// consistent in itself, but its sum may lack a duration recorded meanwhile.
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
  // Not cumulative; the last bucket is for durations above all bounds.
  std::array<uint64_t, kLatencyBoundsNs.size() + 1> buckets{};
  uint64_t sum_ns = 0;

  uint64_t Count() const;
  // The duration that a fraction `part` (0 to 1) does not exceed, assuming an even distribution
  // within a bucket; the largest bound if it is above that; 0 if there are no durations.
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
