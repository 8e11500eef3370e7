// A directory for one test, removed with its contents when the test ends.
//
// It is in $TEST_TMPDIR, which Bazel sets, or in the system's directory for temporary files.
#pragma once

#include <string>

namespace kvfs {

class TemporaryDirectory {
 public:
  TemporaryDirectory();  // ends the program if it cannot be created
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace kvfs
