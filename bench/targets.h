// What kvfs wants to reach beside its peers, and whether a run says that it does.
#pragma once

#include <string>
#include <vector>

#include "bench/summary.h"

namespace kvfs::bench {

struct Verdict {
  enum class Outcome { kMet, kMissed, kNotMeasured };
  std::string target;
  std::string figure = {};  // empty where it was not measured
  Outcome outcome = Outcome::kNotMeasured;
};

// One for each target, of one data set. "LMDB" is the better of its two modes; "the best" is the
// best of those that are crash-safe: LMDB, LevelDB, RocksDB and SQLite.
std::vector<Verdict> JudgeTargets(const Summary& summary, const DataSet& data_set);

}  // namespace kvfs::bench
