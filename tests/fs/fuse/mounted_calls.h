// A mounted store, with helpers for the system calls of tests.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/fs/fuse/mounted_fixture.h"

namespace kvfs::fs {

// A descriptor that is closed automatically.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0644)
      : number_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
    EXPECT_GE(number_, 0) << path << ": " << std::strerror(errno);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }

  void Close() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  operator int() const { return number_; }

 private:
  int number_;
};

class MountedCalls : public MountedFixture {
 protected:
  void Put(const std::string& name, std::string_view value) {
    const Descriptor file(Path(name), O_WRONLY | O_CREAT | O_TRUNC);
    Append(file, value);
  }
  void Append(int file, std::string_view data) {
    EXPECT_EQ(write(file, data.data(), data.size()), static_cast<ssize_t>(data.size()));
  }
  std::string Get(const std::string& name) { return GetFrom(Descriptor(Path(name), O_RDONLY)); }
  std::string GetFrom(int file) {
    std::string value(4096, '\0');
    const ssize_t length = pread(file, value.data(), value.size(), 0);
    EXPECT_GE(length, 0);
    return value.substr(0, static_cast<size_t>(std::max<ssize_t>(length, 0)));
  }
  // The error of a call that must fail.
  static int ErrorOf(int result) {
    EXPECT_EQ(result, -1);
    return errno;
  }
};

}  // namespace kvfs::fs
