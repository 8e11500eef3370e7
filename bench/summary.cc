// Collects the repetitions of a place in the tables, then takes the median of each figure.
#include "bench/summary.h"

#include <algorithm>
#include <set>

namespace kvfs::bench {
namespace {

using Repetitions = std::vector<const Measurement*>;

template <typename Figure>
double MedianOf(const Repetitions& repetitions, Figure figure) {
  std::vector<double> values;
  for (const Measurement* one : repetitions) values.push_back(figure(*one));
  return Median(std::move(values));
}

double PerOperation(const Measurement& one, double seconds) {
  return seconds * 1e6 / static_cast<double>(std::max(one.operations, uint64_t{1}));
}

double Microseconds(const Measurement& one) { return PerOperation(one, one.seconds); }

double SpreadOf(const Repetitions& repetitions) {
  const auto [fastest, slowest] = std::ranges::minmax_element(
      repetitions, {}, [](const Measurement* one) { return Microseconds(*one); });
  return Microseconds(**slowest) / Microseconds(**fastest);
}

Figures FiguresOf(const Repetitions& repetitions) {
  const auto number = [&](uint64_t Measurement::*field) {
    return MedianOf(repetitions,
                    [&](const Measurement& one) { return static_cast<double>(one.*field); });
  };
  return {
      .repetitions = repetitions.size(),
      .microseconds = MedianOf(repetitions, Microseconds),
      .spread = SpreadOf(repetitions),
      .cpu_microseconds = MedianOf(
          repetitions, [](const Measurement& one) { return PerOperation(one, one.cpu_seconds); }),
      .disk_bytes = number(&Measurement::disk_bytes),
      .written_bytes = number(&Measurement::written_bytes),
      .memory_bytes = number(&Measurement::memory_bytes),
      .resident_bytes = number(&Measurement::resident_bytes),
      .operations = repetitions.front()->operations,
  };
}

}  // namespace

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

Summary::Summary(std::span<const Measurement> measurements) {
  std::map<Place, Repetitions> places;
  for (const Measurement& one : measurements) {
    if (std::ranges::find(engines_, one.engine) == engines_.end()) engines_.push_back(one.engine);
    const Place place{DataSet{one.entries, one.value_bytes}, one.workload, one.engine};
    if (one.failure.empty()) {
      places[place].push_back(&one);
    } else {
      failures_[place] = one.failure;
    }
  }
  for (const auto& [place, repetitions] : places) figures_[place] = FiguresOf(repetitions);
  const auto kvfs = std::ranges::find(engines_, "kvfs");
  if (kvfs != engines_.end()) std::rotate(engines_.begin(), kvfs, kvfs + 1);
}

std::vector<DataSet> Summary::data_sets() const {
  std::set<DataSet> found;
  for (const auto& [place, figures] : figures_) found.insert(std::get<DataSet>(place));
  for (const auto& [place, failure] : failures_) found.insert(std::get<DataSet>(place));
  return {found.begin(), found.end()};
}

const Figures* Summary::Find(const DataSet& data_set, std::string_view workload,
                             std::string_view engine) const {
  const auto found = figures_.find({data_set, std::string(workload), std::string(engine)});
  return found == figures_.end() ? nullptr : &found->second;
}

std::string Summary::FailureOf(const DataSet& data_set, std::string_view workload,
                               std::string_view engine) const {
  const auto found = failures_.find({data_set, std::string(workload), std::string(engine)});
  return found == failures_.end() ? std::string() : found->second;
}

bool Summary::Has(const DataSet& data_set, std::string_view workload) const {
  return std::ranges::any_of(engines_, [&](const std::string& engine) {
    return Find(data_set, workload, engine) != nullptr ||
           !FailureOf(data_set, workload, engine).empty();
  });
}

}  // namespace kvfs::bench
