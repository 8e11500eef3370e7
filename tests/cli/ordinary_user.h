// What a test that runs as root needs to try things as an ordinary user: a mount namespace that
// ends with the test, in which /dev/fuse may be opened by all, as on any Debian, and files of /etc
// can be replaced; a directory of the user's with the program in it; and commands as the user.
//
// Bazel's sandbox knows one user only: such a test runs outside it (tag "local").
#pragma once

#include <string>
#include <vector>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {

class OrdinaryUser : public StoreFixture {
 protected:
  OrdinaryUser();
  ~OrdinaryUser() override;

  // Skips the test for who is not root, and therefore an ordinary user in all other tests.
  void SetUp() override;

  // Runs a command line as the user, in a directory of the user's, with the program as $K. The
  // store is to be called store, the mount point mnt.
  ProgramRun As(const std::string& command) const;
  // The same, and expects that it fails with the status and names each word on standard error.
  void ExpectRefused(const std::string& command, int status,
                     const std::vector<std::string>& named) const;
  // Puts a file with that text over another, for the rest of the test.
  void Replace(const std::string& path, const std::string& text);

  // Puts a file or directory that exists over another, for the rest of the test.
  void Cover(const std::string& path, const std::string& file);
  // Has mount(8) find the program as mount.kvfs, fsck.kvfs and kvfs, for the rest of the test.
  void Install();

  std::string home() const { return directory() + "/home"; }
  std::string device() const { return directory() + "/dev/fuse"; }

 private:
  std::vector<std::string> covered_;  // to be uncovered, the last first
};

}  // namespace kvfs::cli
