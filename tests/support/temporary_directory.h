// A directory for one test, removed with all it holds when the test ends.
//
// Lies in $TEST_TMPDIR, which bazel gives, or in the system's place for temporary files.
#pragma once

#include <string>

namespace kvfs {

class TemporaryDirectory {
 public:
  TemporaryDirectory();  // ends the program if it cannot be made
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace kvfs
