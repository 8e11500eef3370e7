// Medians over the repetitions of each measurement.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bench/measurement.h"

namespace kvfs::bench {

// The middle one; of an even number the mean of the two in the middle. `values` is not empty.
double Median(std::vector<double> values);

struct DataSet {
  uint64_t entries = 0;
  uint64_t value_bytes = 0;
  auto operator<=>(const DataSet&) const = default;
};

// Medians of one engine's repetitions of one workload.
struct Figures {
  uint64_t repetitions = 0;
  double microseconds = 0;  // an operation
  double spread = 0;        // slowest repetition over the fastest
  double cpu_microseconds = 0;
  double disk_bytes = 0;
  double written_bytes = 0;
  double memory_bytes = 0;
  double resident_bytes = 0;
  uint64_t operations = 0;
};

class Summary {
 public:
  explicit Summary(std::span<const Measurement> measurements);

  std::vector<DataSet> data_sets() const;
  // Engines that were measured at all, kvfs first, the others as they first came.
  const std::vector<std::string>& engines() const { return engines_; }
  // Null if there are no figures.
  const Figures* Find(const DataSet& data_set, std::string_view workload,
                      std::string_view engine) const;
  // Why a measurement has no figures; empty if it has, or was never made.
  std::string FailureOf(const DataSet& data_set, std::string_view workload,
                        std::string_view engine) const;
  bool Has(const DataSet& data_set, std::string_view workload) const;

 private:
  using Place = std::tuple<DataSet, std::string, std::string>;

  std::vector<std::string> engines_;
  std::map<Place, Figures> figures_;
  std::map<Place, std::string> failures_;
};

}  // namespace kvfs::bench
