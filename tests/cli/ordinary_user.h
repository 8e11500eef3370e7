// Lets a test that runs as root act as an ordinary user: a mount namespace that ends with the test,
// in which everyone may open /dev/fuse, as on any Debian, and files of /etc can be replaced; a
// directory of the user's, with the program in it; and commands run as the user.
//
// Bazel's sandbox has only one user, so such a test runs outside it (tag "local").
#pragma once

#include <string>
#include <vector>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {

class OrdinaryUser : public StoreFixture {
 protected:
  OrdinaryUser();
  ~OrdinaryUser() override;

  // Skips the test unless run as root: other users run all other tests as ordinary users.
  void SetUp() override;

  // Runs a command line as the user, in a directory of the user's, with the program as $K. The
  // store must be named store, the mount point mnt.
  ProgramRun As(const std::string& command) const;
  // The same; expects failure with the status, and each word on standard error.
  void ExpectRefused(const std::string& command, int status,
                     const std::vector<std::string>& named) const;
  // Mounts a file with that text over another, for the rest of the test.
  void Replace(const std::string& path, const std::string& text);

  // Mounts an existing file or directory over another, for the rest of the test.
  void Cover(const std::string& path, const std::string& file);
  // Makes mount(8) find the program as mount.kvfs, fsck.kvfs and kvfs, for the rest of the test.
  void Install();

  std::string home() const { return directory() + "/home"; }
  std::string device() const { return directory() + "/dev/fuse"; }

 private:
  std::vector<std::string> covered_;  // to be unmounted, the last first
};

}  // namespace kvfs::cli
