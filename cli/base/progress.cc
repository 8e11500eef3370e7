// Overwrites the line, ten times a second at most.

#include "cli/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "cli/base/terminal.h"

namespace kvfs::cli {
namespace {

constexpr std::chrono::milliseconds kPause{100};

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)),
      is_terminal_(IsTerminal(STDERR_FILENO)),
      next_(std::chrono::steady_clock::now() + kPause) {}

Progress::~Progress() { Clear(); }

void Progress::Clear() {
  if (is_shown_) fmt::print(stderr, "\r\033[K");
  is_shown_ = false;
}

bool Progress::IsDue() {
  if (!is_terminal_) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return false;
  next_ = now + kPause;
  return true;
}

void Progress::ShowBytes(uint64_t done, uint64_t total) {
  if (!IsDue()) return;
  const double part = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  Print(fmt::format("{} of {} ({:.0f} %)", ReadableBytes(done), ReadableBytes(total), 100 * part));
}

void Progress::ShowEntries(uint64_t entries) {
  if (IsDue()) Print(fmt::format("{} entries", entries));
}

void Progress::Print(const std::string& text) {
  fmt::print(stderr, "\r\033[K{}: {}", what_, text);
  std::fflush(stderr);
  is_shown_ = true;
}

std::string ReadableBytes(uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace kvfs::cli
