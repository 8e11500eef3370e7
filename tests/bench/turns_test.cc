// The order of a run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/rounds.h"

namespace kvfs::bench {
namespace {

using testing::ElementsAre;

Options TwoEngines() {
  return {.engines = {"kvfs", "lmdb"}, .workloads = {"fillseq", "scan"}, .repeat = 2};
}

std::vector<std::string> Described(const Options& options,
                                   const std::function<bool(const Turn&)>& can_run) {
  std::vector<std::string> described;
  for (const Turn& turn : Turns(options, can_run)) {
    described.push_back(std::to_string(turn.repetition) + " " + turn.workload + " " + turn.engine);
  }
  return described;
}

TEST(Turns, GoRoundTheEnginesAndBeginEachRepetitionWithAnother) {
  EXPECT_THAT(Described(TwoEngines(), [](const Turn&) { return true; }),
              ElementsAre("0 fillseq kvfs", "0 fillseq lmdb", "0 scan kvfs", "0 scan lmdb",
                          "1 fillseq lmdb", "1 fillseq kvfs", "1 scan lmdb", "1 scan kvfs"));
}

TEST(Turns, LeaveOutWhatAnEngineCannotDo) {
  const auto no_lmdb_scan = [](const Turn& turn) {
    return turn.engine != "lmdb" || turn.workload != "scan";
  };
  Options options = TwoEngines();
  options.repeat = 1;
  EXPECT_THAT(Described(options, no_lmdb_scan),
              ElementsAre("0 fillseq kvfs", "0 fillseq lmdb", "0 scan kvfs"));
}

TEST(Turns, SizesThatTheLimitMakesEqualAreMeasuredOnce) {
  Options options = TwoEngines();
  options.engines = {"kvfs"};
  options.workloads = {"scan"};
  options.repeat = 1;
  options.entries = {100, 1000, 10'000};
  options.value_bytes = {984};
  options.data_limit_bytes = 500'000;
  const std::vector<Turn> turns = Turns(options, [](const Turn&) { return true; });
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].data_set.entries, 100u);
  EXPECT_EQ(turns[1].data_set.entries, 500u);
}

}  // namespace
}  // namespace kvfs::bench
