// The tables of a run.

#include "bench/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bench/measurements.h"

namespace kvfs::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Tables, TimesAreMicrosecondsOfKvfsAndRatiosOfTheOthers) {
  const Summary summary(
      std::vector{Measured("kvfs", "getwarm", 0.5), Measured("lmdb", "getwarm", 0.95),
                  Measured("tkrzw", "getwarm", 0.4), Measured("kvfs", "scan", 0.06)});
  EXPECT_EQ(TimesTable(summary, kTestSet),
            "| workload | kvfs, us | lmdb | tkrzw | spread |\n"
            "|----------|---------:|-----:|------:|-------:|\n"
            "| getwarm  |    0.500 | 1.9x | 0.80x |      - |\n"
            "| scan     |    0.060 |    - |     - |      - |\n");
}

TEST(Tables, SpreadTellsHowFarRepetitionsLieApart) {
  const Summary summary(std::vector{Measured("kvfs", "scan", 1), Measured("kvfs", "scan", 1.25),
                                    Measured("lmdb", "scan", 2), Measured("lmdb", "scan", 3)});
  EXPECT_THAT(TimesTable(summary, kTestSet), HasSubstr("2.2x |   1.50 |"));
}

TEST(Tables, WithoutKvfsTimesAreMicroseconds) {
  const Summary summary(std::vector{Measured("bare", "putsync1", 123)});
  EXPECT_THAT(TimesTable(summary, kTestSet), HasSubstr("| putsync1 |  123 |"));
}

TEST(Tables, SpaceIsToldPerEntryAndPerBytePut) {
  const Summary summary(std::vector{Measured("kvfs", "fillrandom", 1, 150'000, 232'000)});
  const std::string table = SpaceTable(summary, kTestSet);
  EXPECT_THAT(table, HasSubstr("| bytes on disk an entry       | fillrandom |   150 |"));
  EXPECT_THAT(table, HasSubstr("| bytes written per byte put   | fillrandom |  2.00 |"));
  EXPECT_THAT(table, Not(HasSubstr("fillseq")));
}

TEST(Tables, TargetsAreToldWithFigureAndVerdict) {
  const Summary summary(std::vector{Measured("kvfs", "scan", 1), Measured("lmdb", "scan", 0.5)});
  const std::string table = TargetsTable(summary, kTestSet);
  EXPECT_THAT(table, HasSubstr("0.50 times lmdb (1.00 of 0.500 us) | MISSED"));
  EXPECT_THAT(table, HasSubstr("not measured"));
}

TEST(Tables, AFailureIsShownAndExplained) {
  Measurement failed = Measured("lmdb", "getcold", 0);
  failed.failure = "ended by signal 11";
  const std::string report = Report(Summary(std::vector{Measured("kvfs", "getcold", 2), failed}));
  EXPECT_THAT(report, HasSubstr("## 1,000 entries, values of 100 bytes"));
  EXPECT_THAT(report, HasSubstr("| failed |"));
  EXPECT_THAT(report, HasSubstr("getcold, lmdb: ended by signal 11"));
}

}  // namespace
}  // namespace kvfs::bench
