// store_bench: the same named workloads through kvfs and other embedded stores, in one run, and
// tables of what they took. docs/benchmarks.md tells how to use and how to read it.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "bench/chart.h"
#include "bench/engine.h"
#include "bench/measure.h"
#include "bench/options.h"
#include "bench/rounds.h"
#include "bench/stop.h"
#include "bench/summary.h"
#include "bench/tables.h"

namespace kvfs::bench {
namespace {

std::vector<std::string_view> NamesOf(const auto& table) {
  std::vector<std::string_view> names;
  for (const auto& one : table) names.push_back(one.name);
  return names;
}

std::vector<Measurement> ReadResults(const std::vector<std::string>& paths) {
  std::vector<Measurement> measurements;
  for (const std::string& path : paths) {
    std::ifstream file(path);
    if (!file) Stop("cannot read " + path);
    for (std::string line; std::getline(file, line);) {
      const auto measured = MeasurementFrom(line);
      if (!measured) Stop(path + " holds a line that is no result of this program: " + line);
      measurements.push_back(*measured);
    }
  }
  return measurements;
}

std::vector<Measurement> MakeResults(const Options& options) {
  std::ofstream raw;
  if (!options.json.empty()) raw.open(options.json, std::ios::app);
  if (!raw) Stop("cannot write " + options.json);
  std::vector<Measurement> measurements;
  RunRounds(options, [&](const Measurement& measured) {
    measurements.push_back(measured);
    if (raw.is_open()) raw << ToJson(measured) << std::endl;
  });
  return measurements;
}

void WriteChart(const Summary& summary, const std::string& path) {
  std::ofstream file(path);
  file << Chart(summary) << std::flush;
  if (!file) Stop("cannot write " + path);
}

int RunJob(const std::string& text) {
  const auto job = JobFrom(text);
  if (!job) Stop("--job is for the processes that this program starts itself");
  fmt::print("{}\n", ToJson(Measure(*job)));
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  const auto options = ParseOptions(arguments, NamesOf(Engines()), NamesOf(Workloads()));
  if (!options) {
    const auto& [is_error, text] = options.error();
    fmt::print(is_error ? stderr : stdout, "{}{}\n", is_error ? "store_bench: " : "", text);
    return is_error ? 2 : 0;
  }
  if (!options->job.empty()) return RunJob(options->job);
  const auto measurements =
      options->report.empty() ? MakeResults(*options) : ReadResults(options->report);
  const Summary summary(measurements);
  fmt::print("{}", Report(summary));
  if (!options->chart.empty()) WriteChart(summary, options->chart);
  return 0;
}

}  // namespace
}  // namespace kvfs::bench

int main(int argc, char** argv) {
  try {
    return kvfs::bench::Main(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& error) {
    kvfs::bench::Stop(error.what());
  }
}
