// Jobs and results: passed between processes, and written to a file.

#include "bench/measurement.h"

#include <gtest/gtest.h>

namespace kvfs::bench {
namespace {

TEST(Measurement, ComesBackAsItWent) {
  const Measurement sent{.engine = "lmdb",
                         .workload = "scan",
                         .entries = 10,
                         .value_bytes = 100,
                         .repetition = 2,
                         .failure = "it \"failed\"",
                         .operations = 7,
                         .seconds = 0.25,
                         .written_bytes = uint64_t{1} << 40};
  const auto received = MeasurementFrom(ToJson(sent));
  ASSERT_TRUE(received);
  EXPECT_EQ(ToJson(*received), ToJson(sent));
  EXPECT_EQ(received->failure, sent.failure);
  EXPECT_EQ(received->written_bytes, sent.written_bytes);
}

TEST(Measurement, AJobComesBackAsItWent) {
  const Job sent{.engine = "kvfs", .workload = "fillseq", .directory = "/a b/\"c\"", .entries = 3};
  const auto received = JobFrom(ToJson(sent));
  ASSERT_TRUE(received);
  EXPECT_EQ(received->directory, sent.directory);
  EXPECT_EQ(received->entries, 3u);
}

TEST(Measurement, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{", "[]", "{\"engine\":\"kvfs\"}", "a crash before the result"}) {
    EXPECT_FALSE(MeasurementFrom(text)) << text;
    EXPECT_FALSE(JobFrom(text)) << text;
  }
}

}  // namespace
}  // namespace kvfs::bench
