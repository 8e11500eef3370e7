// There are few bounds: searching them costs less than reading the clock.
#include "fs/fuse/latency_histogram.h"

#include <algorithm>

namespace kvfs::fs {
namespace {

constexpr double kNsPerSecond = 1e9;

}  // namespace

uint64_t Latencies::Count() const {
  uint64_t count = 0;
  for (const uint64_t bucket : buckets) count += bucket;
  return count;
}

double Latencies::QuantileSeconds(double part) const {
  const double wanted = part * static_cast<double>(Count());
  if (Count() == 0) return 0;
  double below = 0;
  for (size_t i = 0; i < kLatencyBoundsNs.size(); ++i) {
    const auto here = static_cast<double>(buckets[i]);
    if (here > 0 && below + here >= wanted) {
      const double begin = i == 0 ? 0 : static_cast<double>(kLatencyBoundsNs[i - 1]);
      const auto end = static_cast<double>(kLatencyBoundsNs[i]);
      return (begin + (end - begin) * (wanted - below) / here) / kNsPerSecond;
    }
    below += here;
  }
  return static_cast<double>(kLatencyBoundsNs.back()) / kNsPerSecond;
}

void LatencyHistogram::Record(std::chrono::nanoseconds duration) {
  const auto bound = std::ranges::lower_bound(kLatencyBoundsNs, duration.count());
  const auto bucket = static_cast<size_t>(bound - kLatencyBoundsNs.begin());
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(static_cast<uint64_t>(duration.count()), std::memory_order_relaxed);
}

Latencies LatencyHistogram::Copy() const {
  Latencies copy;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    copy.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
  }
  copy.sum_ns = sum_ns_.load(std::memory_order_relaxed);
  return copy;
}

}  // namespace kvfs::fs
