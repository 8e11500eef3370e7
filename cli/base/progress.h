// One line on a terminal that tells how far long work has come; nothing where standard error is no
// terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kvfs::cli {

class Progress {
 public:
  // `what` begins the line: "checking /srv/store".
  // `what` is for a terminal: what others have chosen in it goes through ShownText.
  explicit Progress(std::string what);
  // Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Both are cheap if called often.
  void ShowBytes(uint64_t done, uint64_t total);
  void ShowEntries(uint64_t entries);
  // Wipes the line, so that another can be printed.
  void Clear();

 private:
  bool IsDue();
  void Print(const std::string& text);

  const std::string what_;
  const bool is_terminal_;
  bool is_shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

// 17.3 MiB, for people.
std::string ReadableBytes(uint64_t bytes);

}  // namespace kvfs::cli
