// The options of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace kvfs::bench {

struct Options {
  std::vector<std::string> engines = {};  // in the table's order, kvfs always among them
  std::vector<std::string> workloads = {};
  std::vector<uint64_t> entries = {1'000'000};
  std::vector<uint64_t> value_bytes = {100};
  uint64_t repeat = 3;
  uint64_t operations = 1'000'000;
  uint64_t synced_operations = 4000;
  uint64_t data_limit_bytes = uint64_t{2} << 30;
  bool real_time = false;  // measure ahead of whatever else the machine does
  std::string directory = "/var/tmp";
  std::string json = {};                 // raw results are appended to it; empty: nowhere
  std::vector<std::string> report = {};  // files of raw results to show instead of measuring
  std::string chart = {};                // where an SVG of the times is written; empty: nowhere
  std::string job = {};                  // set in the processes that the program starts itself
};

// Why the program does nothing: a text for standard output (help), or a complaint.
struct Refusal {
  bool is_error = true;
  std::string text;
};

// `arguments` without the program's name. `engines` and `workloads` are the names that there are,
// which is also what is measured where none are named.
tl::expected<Options, Refusal> ParseOptions(std::vector<std::string> arguments,
                                            std::span<const std::string_view> engines,
                                            std::span<const std::string_view> workloads);

}  // namespace kvfs::bench
