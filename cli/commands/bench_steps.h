// The steps of `kvfs bench`, and their measurement: one thread runs each operation the requested
// number of times, and records every latency, so the quantiles are exact.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/base/progress.h"
#include "cli/commands/bench_target.h"

namespace kvfs::cli {

struct BenchStep {
  std::string name;
  std::string meaning;
  uint64_t count = 0;
  std::function<Result<void>(uint64_t index)> work;
};

struct Measured {
  const BenchStep& step;
  double seconds = 0;
  std::vector<double> each_seconds;  // sorted, ascending

  double PerSecond() const { return static_cast<double>(each_seconds.size()) / seconds; }
  double Quantile(double part) const {
    const auto last = static_cast<double>(each_seconds.size() - 1);
    return each_seconds[static_cast<size_t>(part * last)];
  }
};

Result<Measured> Measure(const BenchStep& step, Progress& progress);

// Puts, replaces, gets, lists and deletes values of random bytes, in random order: the same in each
// run. Not movable: the steps refer to it.
class Bench {
 public:
  Bench(BenchTarget& target, uint64_t values, uint64_t bytes);
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  const std::vector<BenchStep>& steps() const { return steps_; }

 private:
  Result<void> List(uint64_t expected);

  BenchTarget& target_;
  const std::string value_;
  std::string buffer_;
  const std::vector<uint64_t> order_;
  std::vector<BenchStep> steps_;
};

}  // namespace kvfs::cli
