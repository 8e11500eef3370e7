// What fusermount3 says when it fails: it writes to standard error, which it has from us, while
// libfuse waits for it.
//
// Standard error is the whole process's: lines that other threads write meanwhile are caught too.
// Whatever was caught and not taken is written to where it belonged.
#pragma once

#include <string>

namespace kvfs::fs {

// Catches standard error from construction to Take() or destruction. Not nested, one at a time.
class StderrCapture {
 public:
  StderrCapture();
  ~StderrCapture();

  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  // Ends the catching. What was written, lines joined by "; ", without the program's name in front
  // of each.
  std::string Take();

 private:
  std::string End();

  int real_ = -1;    // where standard error led; negative: nothing is caught
  int caught_ = -1;  // a file in memory
};

}  // namespace kvfs::fs
