// CLI11 reads the words; what they mean is decided here.
#include "bench/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "bench/keys.h"
#include "bench/quantity.h"

namespace kvfs::bench {
namespace {

using Names = std::span<const std::string_view>;

// Replaces "10M" by its digits, so that CLI11 reads a number.
CLI::Validator Quantity(uint64_t least) {
  const auto convert = [least](std::string& text) -> std::string {
    const auto number = ParseQuantity(text);
    if (!number) return fmt::format("\"{}\" is no number (1000, 10k, 1M, 2Gi)", text);
    if (*number < least) return fmt::format("{} is too small: at least {}", *number, least);
    text = std::to_string(*number);
    return {};
  };
  return CLI::Validator(convert, "N", "quantity");
}

std::string Joined(Names names) {
  std::string joined;
  for (const std::string_view name : names) {
    if (!joined.empty()) joined += ", ";
    joined += name;
  }
  return joined;
}

// The names that were chosen in the order in which they are known; all if none were.
tl::expected<std::vector<std::string>, Refusal> Chosen(const std::vector<std::string>& asked,
                                                       Names known, const char* what) {
  for (const std::string& name : asked) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return tl::unexpected(
        Refusal{true, fmt::format("there is no {} {}; there are {}", what, name, Joined(known))});
  }
  std::vector<std::string> chosen;
  for (const std::string_view name : known) {
    const bool wanted = asked.empty() || std::ranges::find(asked, name) != asked.end();
    if (wanted) chosen.emplace_back(name);
  }
  return chosen;
}

void Define(CLI::App& parser, Options& options, Names engines, Names workloads) {
  parser.add_option("--engines", options.engines, "Of: " + Joined(engines))->delimiter(',');
  parser.add_option("--workloads", options.workloads, "Of: " + Joined(workloads))->delimiter(',');
  parser.add_option("--entries", options.entries, "Entries of a store, for example 1M,10M")
      ->delimiter(',')
      ->transform(Quantity(1))
      ->capture_default_str();
  parser.add_option("--value-bytes", options.value_bytes, "Size of each value, for example 16,10k")
      ->delimiter(',')
      ->transform(Quantity(kMinValueBytes))
      ->capture_default_str();
  parser.add_option("--repeat", options.repeat, "Rounds; tables show medians")
      ->transform(Quantity(1))
      ->capture_default_str();
  parser
      .add_option("--operations", options.operations,
                  "At most so many counted gets, overwrites and deletes")
      ->transform(Quantity(1))
      ->capture_default_str();
  parser.add_option("--sync-operations", options.synced_operations, "Counted synced puts")
      ->transform(Quantity(8))
      ->capture_default_str();
  parser
      .add_option("--data-limit", options.data_limit_bytes,
                  "Bytes of keys and values at most; fewer entries where they would be more")
      ->transform(Quantity(1 << 20))
      ->capture_default_str();
  parser.add_flag("--real-time", options.real_time,
                  "Measure what has one thread with real-time priority, where the machine is not "
                  "idle; needs root");
  parser.add_option("--directory", options.directory, "Where the stores lie, in a new directory")
      ->capture_default_str();
  parser.add_option("--json", options.json, "File to which raw results are appended, one a line");
  parser.add_option("--report", options.report,
                    "Measure nothing; show what these files, written by --json, hold");
  parser.add_option("--chart", options.chart,
                    "File to which a picture of the times is written, as SVG");
  parser.add_option("--job", options.job)->group("");
}

}  // namespace

tl::expected<Options, Refusal> ParseOptions(std::vector<std::string> arguments, Names engines,
                                            Names workloads) {
  Options options;
  CLI::App parser("Drives the same workloads through kvfs and other embedded stores",
                  "store_bench");
  Define(parser, options, engines, workloads);
  std::ranges::reverse(arguments);  // as the parser takes them
  try {
    parser.parse(arguments);
  } catch (const CLI::Success&) {
    return tl::unexpected(Refusal{false, parser.help()});
  } catch (const CLI::Error& error) {
    return tl::unexpected(Refusal{true, std::string(error.what()) + "; --help tells more"});
  }
  if (!options.engines.empty()) options.engines.emplace_back(engines.front());
  const auto chosen_engines = Chosen(options.engines, engines, "engine");
  if (!chosen_engines) return tl::unexpected(chosen_engines.error());
  const auto chosen_workloads = Chosen(options.workloads, workloads, "workload");
  if (!chosen_workloads) return tl::unexpected(chosen_workloads.error());
  options.engines = *chosen_engines;
  options.workloads = *chosen_workloads;
  return options;
}

}  // namespace kvfs::bench
