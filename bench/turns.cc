// The order of a run, as data.
#include <set>

#include "bench/rounds.h"
#include "bench/workload.h"

namespace kvfs::bench {
namespace {

// Sizes that the limit makes equal are one data set.
std::set<DataSet> DataSets(const Options& options) {
  std::set<DataSet> found;
  for (const uint64_t value_bytes : options.value_bytes) {
    for (const uint64_t entries : options.entries) {
      found.insert({CappedEntries(entries, value_bytes, options.data_limit_bytes), value_bytes});
    }
  }
  return found;
}

}  // namespace

std::vector<Turn> Turns(const Options& options, const std::function<bool(const Turn&)>& can_run) {
  std::vector<Turn> turns;
  for (const DataSet& data_set : DataSets(options)) {
    for (uint64_t repetition = 0; repetition < options.repeat; ++repetition) {
      for (const std::string& workload : options.workloads) {
        for (size_t i = 0; i < options.engines.size(); ++i) {
          const std::string& engine = options.engines[(i + repetition) % options.engines.size()];
          Turn turn{data_set, repetition, workload, engine};
          if (can_run(turn)) turns.push_back(std::move(turn));
        }
      }
    }
  }
  return turns;
}

}  // namespace kvfs::bench
