// The rights of users other than the one who mounted. Runs outside Bazel's sandbox, which has only
// one user, and exclusively, since its mounts are visible to all processes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tests/fs/fuse/mounted_fixture.h"

namespace kvfs::fs {
namespace {

class MountedUsers : public MountedFixture {
 protected:
  void SetUp() override {
    // Bazel's directories may be in root's home, which others cannot enter.
    setenv("TEST_TMPDIR", "/tmp", 1);
    MountedFixture::SetUp();
  }
};

TEST_F(MountedUsers, PermissionsHoldForOthers) {
  // An ordinary user may run the tests as well.
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  options_.allow_other = true;
  SetUp();
  Run("echo secret > $M/f; chmod 600 $M/f; mkdir $M/d; chmod 777 $M/d");
  const std::string as_user = "setpriv --reuid=1000 --regid=1000 --clear-groups ";
  EXPECT_NE(RunAndFail(as_user + "cat $M/f").find("denied"), std::string::npos);
  EXPECT_NE(RunAndFail(as_user + "touch $M/new").find("denied"), std::string::npos);
  Run(as_user + "sh -c 'umask 027; echo mine > $M/d/mine'");
  EXPECT_EQ(Run("stat -c '%u %g %a' $M/d/mine"), "1000 1000 640\n");
}

TEST_F(MountedUsers, AUsersWriteClearsSetuid) {
  // An ordinary user may run the tests as well.
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  options_.allow_other = true;
  SetUp();
  const std::string as_user = "setpriv --reuid=1000 --regid=1000 --clear-groups ";
  Run("echo 1 > $M/f; chmod 6777 $M/f; " + as_user + "sh -c 'echo 2 >> $M/f'");
  EXPECT_EQ(Run("stat -c %a $M/f"), "777\n");
  Run("chmod 6777 $M/f; chown 5 $M/f");
  EXPECT_EQ(Run("stat -c %a $M/f"), "777\n");
}

// The kernel clears the bits itself only for write(2); after fallocate and copy_file_range it must
// be told that they are cleared.
TEST_F(MountedUsers, AUsersAllocationOrCopyClearsSetuid) {
  // An ordinary user may run the tests as well.
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  options_.allow_other = true;
  SetUp();
  const std::string as_user = "setpriv --reuid=1000 --regid=1000 --clear-groups ";
  Run("echo 1 > $M/f; echo 2 > $M/g; chmod 6777 $M/f; stat $M/f; " + as_user +
      "fallocate -l 8192 $M/f");
  EXPECT_EQ(Run("stat -c %a $M/f"), "777\n");
  Run("chmod 6777 $M/f; stat $M/f; " + as_user +
      "python3 -c 'import os; os.copy_file_range(os.open(\"'$M'/g\", os.O_RDONLY), "
      "os.open(\"'$M'/f\", os.O_WRONLY), 2)'");
  EXPECT_EQ(Run("stat -c %a $M/f; head -1 $M/f"), "777\n2\n");
}

}  // namespace
}  // namespace kvfs::fs
