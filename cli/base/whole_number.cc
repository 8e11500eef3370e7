// Parses digits as an integer; messages quote only the first ones.

#include "cli/base/whole_number.h"

#include <fmt/format.h>

#include <charconv>
#include <string>

namespace kvfs::cli {
namespace {

bool IsWithin(const std::string& text, uint64_t least, uint64_t most) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number >= least && number <= most;
}

bool IsDecimalWithin(const std::string& text, double least, double most) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  return error == std::errc() && stop == end && number >= least && number <= most;
}

// Shortens a text for quoting.
std::string Shortened(const std::string& text) {
  constexpr size_t kMost = 40;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

}  // namespace

CLI::Validator WholeNumber(uint64_t least, uint64_t most) {
  return CLI::Validator(
      [=](std::string& text) {
        if (IsWithin(text, least, most)) return std::string();
        return fmt::format("\"{}\" is not a whole number from {} to {}", Shortened(text), least,
                           most);
      },
      "");
}

CLI::Validator Seconds(double least, double most) {
  return CLI::Validator(
      [=](std::string& text) {
        if (IsDecimalWithin(text, least, most)) return std::string();
        return fmt::format("\"{}\" is not a number of seconds from {} to {}", Shortened(text),
                           least, most);
      },
      "");
}

}  // namespace kvfs::cli
