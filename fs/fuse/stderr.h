// Error messages of fusermount3, which it writes to our standard error while libfuse waits for it.
//
// Standard error belongs to the whole process: lines that other threads write meanwhile are
// captured, too. Captured text that is not taken is written to the original stream.
#pragma once

#include <string>

namespace kvfs::fs {

// Captures standard error from construction to Take() or destruction. Not nested, one at a time.
class StderrCapture {
 public:
  StderrCapture();
  ~StderrCapture();

  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  // Ends the capture. Returns the captured lines, joined by "; ", without the program's name in
  // front of each.
  std::string Take();

 private:
  std::string End();

  int real_ = -1;    // the original standard error; negative: no capture
  int caught_ = -1;  // a file in memory
};

}  // namespace kvfs::fs
