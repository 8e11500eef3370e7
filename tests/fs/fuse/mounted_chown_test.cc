// The mode bits that chown clears, call by call, compared with the machine's own file system.
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/fs/fuse/mounted_calls.h"
#include "tests/support/temporary_directory.h"

namespace kvfs::fs {
namespace {

constexpr uid_t kKept = static_cast<uid_t>(-1);

struct Owner {
  uid_t uid;
  gid_t gid;
};

class MountedChown : public MountedCalls {
 protected:
  // The mode after the call.
  static mode_t ModeAfter(const std::string& path, mode_t mode, const Owner& owner) {
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_EQ(chown(path.c_str(), owner.uid, owner.gid), 0);
    struct stat attributes {};
    EXPECT_EQ(stat(path.c_str(), &attributes), 0);
    return attributes.st_mode & 07777;
  }
  static timespec ChangeOf(const std::string& path) {
    struct stat attributes {};
    EXPECT_EQ(stat(path.c_str(), &attributes), 0);
    return attributes.st_ctim;
  }

  TemporaryDirectory beside_;
};

TEST_F(MountedChown, ClearsWhatTheDiskBelowClears) {
  const std::string other = beside_.path() + "/f";
  Put("f", "value");
  ASSERT_EQ(mknod(other.c_str(), S_IFREG | 0644, 0), 0);
  for (const mode_t mode : {04755, 06755, 02755, 02644, 06644, 04644, 01755, 0755}) {
    for (const Owner& owner : {Owner{kKept, kKept}, Owner{getuid(), kKept}, Owner{kKept, getgid()},
                               Owner{getuid(), getgid()}}) {
      EXPECT_EQ(ModeAfter(Path("f"), mode, owner), ModeAfter(other, mode, owner))
          << std::oct << mode << ", uid " << owner.uid << ", gid " << owner.gid;
    }
  }
}

TEST_F(MountedChown, LeavesDirectoriesWhatTheyHave) {
  const std::string other = beside_.path() + "/d";
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  ASSERT_EQ(mkdir(other.c_str(), 0755), 0);
  for (const mode_t mode : {06755, 02755, 03777}) {
    for (const Owner& owner : {Owner{kKept, kKept}, Owner{getuid(), kKept}}) {
      EXPECT_EQ(ModeAfter(Path("d"), mode, owner), ModeAfter(other, mode, owner))
          << std::oct << mode;
    }
  }
}

TEST_F(MountedChown, OfNobodyChangesTheTimeOfChange) {
  Put("f", "value");
  const timespec before = ChangeOf(Path("f"));
  ASSERT_EQ(chown(Path("f").c_str(), kKept, kKept), 0);
  const timespec after = ChangeOf(Path("f"));
  EXPECT_TRUE(after.tv_sec != before.tv_sec || after.tv_nsec != before.tv_nsec);
}

}  // namespace
}  // namespace kvfs::fs
