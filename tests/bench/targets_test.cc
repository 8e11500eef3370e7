// Whether a run meets the targets.

#include "bench/targets.h"

#include <gtest/gtest.h>

#include "tests/bench/measurements.h"

namespace kvfs::bench {
namespace {

using Outcome = Verdict::Outcome;

// The verdict on the target whose text begins with `target`.
Verdict Judged(const std::vector<Measurement>& measurements, const std::string& beginning) {
  for (const Verdict& verdict : JudgeTargets(Summary(measurements), kTestSet)) {
    if (verdict.target.starts_with(beginning)) return verdict;
  }
  ADD_FAILURE() << "no target begins with: " << beginning;
  return {};
}

void ExpectOutcome(const std::vector<Measurement>& measurements, const std::string& beginning,
                   Outcome outcome) {
  const Verdict verdict = Judged(measurements, beginning);
  EXPECT_EQ(verdict.outcome, outcome) << beginning << ": " << verdict.figure;
}

TEST(Targets, WithoutFiguresNothingIsMet) {
  const std::vector<Verdict> verdicts = JudgeTargets(Summary({}), kTestSet);
  EXPECT_EQ(verdicts.size(), 15u);
  for (const Verdict& verdict : verdicts) EXPECT_EQ(verdict.outcome, Outcome::kNotMeasured);
}

TEST(Targets, AGetIsComparedWithTheBetterLmdb) {
  const Measurement kvfs = Measured("kvfs", "getwarm", 1);
  ExpectOutcome({kvfs, Measured("lmdb", "getwarm", 1.31)}, "get, warm: at least", Outcome::kMet);
  ExpectOutcome({kvfs, Measured("lmdb", "getwarm", 1.31), Measured("lmdb-wm", "getwarm", 1.29)},
                "get, warm: at least", Outcome::kMissed);
  ExpectOutcome({kvfs, Measured("tkrzw", "getwarm", 0.99)}, "get, warm: not behind Tkrzw",
                Outcome::kMissed);
}

TEST(Targets, PutsAreComparedWithTheBestCrashSafePeer) {
  const std::vector<Measurement> run = {
      Measured("kvfs", "fillbatch", 1), Measured("lmdb", "fillbatch", 5),
      Measured("leveldb", "fillbatch", 1.9), Measured("tkrzw", "fillbatch", 0.1)};
  const Verdict verdict = Judged(run, "put in batches");
  EXPECT_EQ(verdict.outcome, Outcome::kMissed);
  EXPECT_EQ(verdict.figure, "1.90 times leveldb (1.00 of 1.90 us)");
}

TEST(Targets, OneSyncedPutIsHeldAgainstTheBareOne) {
  const Measurement bare = Measured("bare", "putsync1", 100);
  const char* kTarget = "put with sync: at most";
  ExpectOutcome({Measured("kvfs", "putsync1", 114), bare}, kTarget, Outcome::kMet);
  ExpectOutcome({Measured("kvfs", "putsync1", 116), bare}, kTarget, Outcome::kMissed);
}

TEST(Targets, EightThreadsAreHeldAgainstOne) {
  const char* kTarget = "put with sync, eight threads";
  const Measurement one = Measured("kvfs", "putsync1", 300);
  ExpectOutcome({one, Measured("kvfs", "putsync8", 99)}, kTarget, Outcome::kMet);
  ExpectOutcome({one, Measured("kvfs", "putsync8", 101)}, kTarget, Outcome::kMissed);
  ExpectOutcome({one}, kTarget, Outcome::kNotMeasured);
}

TEST(Targets, BytesOnDiskAreHeldAgainstTheEntry) {
  const char* kTarget = "disk after random puts: at most";
  const auto fills = [](uint64_t bytes) {
    return std::vector{Measured("kvfs", "fillrandom", 1, bytes)};
  };
  ExpectOutcome(fills(191'000), kTarget, Outcome::kMet);  // 1.45 * (16 + 100 + 16) = 191.4
  ExpectOutcome(fills(192'000), kTarget, Outcome::kMissed);
  ExpectOutcome({Measured("kvfs", "compact", 1, 146'000)}, "disk after Compact", Outcome::kMissed);
}

TEST(Targets, WritingAsMuchAsLmdbIsAllowed) {
  const char* kTarget = "bytes written, single puts";
  const Measurement lmdb = Measured("lmdb", "fillrandom", 1, 0, 500);
  ExpectOutcome({Measured("kvfs", "fillrandom", 1, 0, 500), lmdb}, kTarget, Outcome::kMet);
  ExpectOutcome({Measured("kvfs", "fillrandom", 1, 0, 501), lmdb}, kTarget, Outcome::kMissed);
}

}  // namespace
}  // namespace kvfs::bench
