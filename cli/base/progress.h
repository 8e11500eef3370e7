// One line on the terminal with the progress of long work; nothing if standard error is not a
// terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kvfs::cli {

class Progress {
 public:
  // `what` begins the line: "checking /srv/store". Parts of it that others chose must have gone
  // through ShownText.
  explicit Progress(std::string what);
  // Clears the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Both may be called often.
  void ShowBytes(uint64_t done, uint64_t total);
  void ShowEntries(uint64_t entries);
  // Clears the line, so that another can be printed.
  void Clear();

 private:
  bool IsDue();
  void Print(const std::string& text);

  const std::string what_;
  const bool is_terminal_;
  bool is_shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

// For people: 17.3 MiB.
std::string ReadableBytes(uint64_t bytes);

}  // namespace kvfs::cli
