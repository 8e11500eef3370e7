// Medians of a run.

#include "bench/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvfs::bench {
namespace {

constexpr DataSet kSet = {.entries = 1000, .value_bytes = 100};

Measurement Took(const char* engine, const char* workload, double microseconds) {
  return {.engine = engine,
          .workload = workload,
          .entries = kSet.entries,
          .value_bytes = kSet.value_bytes,
          .operations = 500,
          .seconds = microseconds * 500e-6};
}

Measurement Failed(const char* engine, const char* workload, const char* why) {
  Measurement failed = Took(engine, workload, 0);
  failed.failure = why;
  return failed;
}

TEST(Median, IsTheOneInTheMiddle) {
  EXPECT_EQ(Median({3}), 3);
  EXPECT_EQ(Median({100, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
}

TEST(Summary, TakesTheMedianOfTheRepetitions) {
  const Summary summary(
      std::vector{Took("kvfs", "scan", 9), Took("kvfs", "scan", 1), Took("kvfs", "scan", 2)});
  const Figures* const figures = summary.Find(kSet, "scan", "kvfs");
  ASSERT_NE(figures, nullptr);
  EXPECT_DOUBLE_EQ(figures->microseconds, 2);
  EXPECT_DOUBLE_EQ(figures->spread, 9);
  EXPECT_EQ(figures->repetitions, 3u);
}

TEST(Summary, KeepsDataSetsWorkloadsAndEnginesApart) {
  Measurement other = Took("kvfs", "scan", 7);
  other.value_bytes = 16;
  const Summary summary(std::vector{Took("kvfs", "scan", 1), Took("kvfs", "getwarm", 2),
                                    Took("lmdb", "scan", 3), other});
  EXPECT_DOUBLE_EQ(summary.Find(kSet, "scan", "kvfs")->microseconds, 1);
  EXPECT_DOUBLE_EQ(summary.Find(kSet, "scan", "lmdb")->microseconds, 3);
  EXPECT_EQ(summary.Find(kSet, "getwarm", "lmdb"), nullptr);
  EXPECT_THAT(summary.data_sets(), testing::ElementsAre(DataSet{1000, 16}, kSet));
}

TEST(Summary, PutsKvfsFirst) {
  const Summary summary(
      std::vector{Took("lmdb", "scan", 1), Took("kvfs", "scan", 1), Took("bare", "scan", 1)});
  EXPECT_THAT(summary.engines(), testing::ElementsAre("kvfs", "lmdb", "bare"));
}

TEST(Summary, AFailureIsNoFigure) {
  const Summary summary(std::vector{Took("kvfs", "scan", 1), Failed("lmdb", "scan", "died")});
  EXPECT_EQ(summary.Find(kSet, "scan", "lmdb"), nullptr);
  EXPECT_EQ(summary.FailureOf(kSet, "scan", "lmdb"), "died");
  EXPECT_TRUE(summary.Has(kSet, "scan"));
  EXPECT_FALSE(summary.Has(kSet, "getwarm"));
}

TEST(Summary, ADataSetOfFailuresAloneIsNotForgotten) {
  EXPECT_THAT(Summary(std::vector{Failed("lmdb", "scan", "died")}).data_sets(),
              testing::ElementsAre(kSet));
}

// The time is the median of the successful repetitions; the failure is reported, too.
TEST(Summary, AFailedRepetitionLeavesTheOthers) {
  const Summary summary(std::vector{Took("kvfs", "scan", 3), Failed("kvfs", "scan", "died")});
  EXPECT_DOUBLE_EQ(summary.Find(kSet, "scan", "kvfs")->microseconds, 3);
  EXPECT_EQ(summary.FailureOf(kSet, "scan", "kvfs"), "died");
}

}  // namespace
}  // namespace kvfs::bench
