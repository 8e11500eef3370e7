// What libfuse says when it fails: words for people, which it only hands to a log function.
//
// libfuse has one log function for the whole process. Ours gives a line to the capture of the
// thread that caused it, and prints it to stderr where there is none.
#pragma once

#include <string>

namespace kvfs::fs {

// Catches the lines that libfuse logs in this thread, from construction to destruction. Not nested.
class FuseLogCapture {
 public:
  FuseLogCapture();
  ~FuseLogCapture();

  FuseLogCapture(const FuseLogCapture&) = delete;
  FuseLogCapture& operator=(const FuseLogCapture&) = delete;

  // What was logged so far, or `otherwise` if that is nothing; lines are joined by "; ".
  std::string TextOr(const std::string& otherwise) const;
  void Add(std::string line);

 private:
  std::string text_;
};

}  // namespace kvfs::fs
