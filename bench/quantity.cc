// Formats by magnitude: three digits that mean something, never an exponent.
#include "bench/quantity.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <utility>

namespace kvfs::bench {
namespace {

constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
    {"", 1},
    {"k", 1000},
    {"M", 1000 * 1000},
    {"G", 1000 * 1000 * 1000},
    {"Ki", uint64_t{1} << 10},
    {"Mi", uint64_t{1} << 20},
    {"Gi", uint64_t{1} << 30},
};

std::optional<uint64_t> UnitOf(std::string_view name) {
  for (const auto& [unit, size] : kUnits) {
    if (unit == name) return size;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> ParseQuantity(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  const auto unit = UnitOf(std::string_view(rest, static_cast<size_t>(end - rest)));
  if (!unit || number > std::numeric_limits<uint64_t>::max() / *unit) return std::nullopt;
  return number * *unit;
}

std::string WithSeparators(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string ThreeDigits(double number) {
  if (number < 1) return fmt::format("{:.3f}", number);
  if (number < 10) return fmt::format("{:.2f}", number);
  if (number < 100) return fmt::format("{:.1f}", number);
  return fmt::format("{:.0f}", number);
}

std::string Ratio(double ratio) {
  if (ratio < 1) return fmt::format("{:.2f}x", ratio);
  if (ratio < 10) return fmt::format("{:.1f}x", ratio);
  return fmt::format("{:.0f}x", ratio);
}

std::string Mebibytes(double bytes) { return ThreeDigits(bytes / (1 << 20)); }

}  // namespace kvfs::bench
