// Durations counted in buckets, and quantiles computed from the counts.
#include "fs/fuse/latency_histogram.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace kvfs::fs {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(LatencyHistogram, ABoundBelongsToItsBucket) {
  LatencyHistogram histogram;
  for (const auto bound : kLatencyBoundsNs) {
    histogram.Record(nanoseconds(bound));
    histogram.Record(nanoseconds(bound + 1));
  }
  const Latencies copy = histogram.Copy();
  EXPECT_EQ(copy.buckets.front(), 1u);
  for (size_t i = 1; i + 1 < copy.buckets.size(); ++i) EXPECT_EQ(copy.buckets[i], 2u) << i;
  EXPECT_EQ(copy.buckets.back(), 1u);
  EXPECT_EQ(copy.Count(), 2 * kLatencyBoundsNs.size());
}

TEST(LatencyHistogram, TheSumIsOfAll) {
  LatencyHistogram histogram;
  histogram.Record(microseconds(3));
  histogram.Record(seconds(20));
  EXPECT_EQ(histogram.Copy().sum_ns, 20'000'003'000u);
}

TEST(LatencyHistogram, QuantilesLieInTheirBucket) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Copy().QuantileSeconds(0.5), 0);
  for (int i = 0; i < 98; ++i) histogram.Record(microseconds(15));
  for (int i = 0; i < 2; ++i) histogram.Record(microseconds(1500));
  const Latencies copy = histogram.Copy();
  EXPECT_GT(copy.QuantileSeconds(0.5), 10e-6);
  EXPECT_LE(copy.QuantileSeconds(0.5), 20e-6);
  EXPECT_GT(copy.QuantileSeconds(0.99), 1e-3);
  EXPECT_LE(copy.QuantileSeconds(0.99), 2e-3);
}

TEST(LatencyHistogram, WhatExceedsAllBoundsIsTheLargest) {
  LatencyHistogram histogram;
  histogram.Record(seconds(100));
  EXPECT_EQ(histogram.Copy().QuantileSeconds(0.5), 10);
}

TEST(LatencyHistogram, NothingIsLostBetweenThreads) {
  LatencyHistogram histogram;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10'000; ++k) histogram.Record(microseconds(k % 50));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.Copy().Count(), 40'000u);
}

}  // namespace
}  // namespace kvfs::fs
