// A time before 1970 has a negative number of seconds, and nanoseconds that count forward.

#include "cli/transfer/pax_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace kvfs::cli {
namespace {

constexpr uint32_t kSecond = 1'000'000'000;

bool IsDecimal(std::string_view text) {
  return !text.empty() && text.size() < 20 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// ".123456789" of a time with more digits.
std::string FirstNine(std::string_view text) {
  const size_t point = text.find('.');
  if (point == std::string_view::npos) return "";
  const std::string_view parts = text.substr(point);
  return std::string(parts.find_first_not_of("0123456789", 1) == std::string_view::npos
                         ? parts.substr(0, 10)
                         : parts);
}

}  // namespace

std::optional<fs::Timespec> ParsePaxTime(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const std::string_view whole = text.substr(0, text.find('.'));
  std::string parts(text.substr(std::min(whole.size() + 1, text.size())));
  parts.resize(parts.find_last_not_of('0') + 1);
  if (!IsDecimal(whole) || parts.size() > 9) return {};
  if (!parts.empty() && !IsDecimal(parts)) return {};
  parts.resize(9, '0');
  fs::Timespec time;
  const auto parsed = std::from_chars(whole.data(), whole.data() + whole.size(), time.seconds);
  if (parsed.ec != std::errc()) return {};
  std::from_chars(parts.data(), parts.data() + parts.size(), time.nanoseconds);
  if (!is_negative) return time;
  if (time.nanoseconds == 0) return fs::Timespec{-time.seconds, 0};
  return fs::Timespec{-time.seconds - 1, kSecond - time.nanoseconds};
}

std::optional<fs::Timespec> ParseCutPaxTime(std::string_view text) {
  return ParsePaxTime(std::string(text.substr(0, text.find('.'))) + FirstNine(text));
}

std::string PaxTimeText(const fs::Timespec& time) {
  if (time.nanoseconds == 0) return fmt::format("{}", time.seconds);
  const bool is_negative = time.seconds < 0;
  const int64_t whole = is_negative ? -(time.seconds + 1) : time.seconds;
  std::string text = fmt::format("{}{}.{:09}", is_negative ? "-" : "", whole,
                                 is_negative ? kSecond - time.nanoseconds : time.nanoseconds);
  text.resize(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace kvfs::cli
