// Error messages of libfuse, which it only passes to a log function.
//
// libfuse has one log function for the whole process. Ours passes a line to the current thread's
// capture, or prints it to stderr if there is none.
#pragma once

#include <string>

namespace kvfs::fs {

// Captures the lines that libfuse logs in this thread, from construction to destruction. Not
// nested.
class FuseLogCapture {
 public:
  FuseLogCapture();
  ~FuseLogCapture();

  FuseLogCapture(const FuseLogCapture&) = delete;
  FuseLogCapture& operator=(const FuseLogCapture&) = delete;

  // The lines logged so far, joined by "; ", or `otherwise` if there are none.
  std::string TextOr(const std::string& otherwise) const;
  void Add(std::string line);

 private:
  std::string text_;
};

}  // namespace kvfs::fs
