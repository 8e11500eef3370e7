// Extended attributes and access control lists on a mounted store, and the kernel's requests for
// them.
#include <sys/xattr.h>

#include <vector>

#include "tests/fs/fuse/mounted_calls.h"

namespace kvfs::fs {
namespace {

using Messages = std::map<std::string, uint64_t>;

class MountedXattrs : public MountedCalls {
 protected:
  int Set(const std::string& file, const char* name, std::string_view value, int flags = 0) {
    return setxattr(Path(file).c_str(), name, value.data(), value.size(), flags);
  }
  std::string Read(const std::string& file, const char* name) {
    char value[100];
    const ssize_t length = getxattr(Path(file).c_str(), name, value, sizeof value);
    return length < 0 ? std::strerror(errno) : std::string(value, static_cast<size_t>(length));
  }
};

TEST_F(MountedXattrs, AreSetReadListedAndRemoved) {
  Put("f", "value");
  ASSERT_EQ(Set("f", "user.a", "one"), 0);
  ASSERT_EQ(Set("f", "user.b", ""), 0);
  EXPECT_EQ(Read("f", "user.a"), "one");
  char list[100];
  EXPECT_EQ(listxattr(Path("f").c_str(), list, sizeof list), 14);
  EXPECT_EQ(std::string(list, 14), std::string("user.a\0user.b\0", 14));
  ASSERT_EQ(removexattr(Path("f").c_str(), "user.b"), 0);
  mounted().Remount();
  EXPECT_EQ(Run("getfattr -d --absolute-names $M/f | grep user"), "user.a=\"one\"\n");
}

TEST_F(MountedXattrs, ErrorsAreLinuxs) {
  Put("f", "value");
  const std::string path = Path("f");
  ASSERT_EQ(Set("f", "user.a", "one"), 0);
  char room[2];
  EXPECT_EQ(ErrorOf(static_cast<int>(getxattr(path.c_str(), "user.x", room, 2))), ENODATA);
  EXPECT_EQ(ErrorOf(static_cast<int>(getxattr(path.c_str(), "user.a", room, 2))), ERANGE);
  EXPECT_EQ(getxattr(path.c_str(), "user.a", nullptr, 0), 3);
  EXPECT_EQ(ErrorOf(static_cast<int>(listxattr(path.c_str(), room, 2))), ERANGE);
  EXPECT_EQ(listxattr(path.c_str(), nullptr, 0), 7);
  EXPECT_EQ(ErrorOf(removexattr(path.c_str(), "user.x")), ENODATA);
  EXPECT_EQ(ErrorOf(Set("f", "user.a", "x", XATTR_CREATE)), EEXIST);
  EXPECT_EQ(ErrorOf(Set("f", "user.x", "x", XATTR_REPLACE)), ENODATA);
  EXPECT_EQ(ErrorOf(Set("f", "user.big", std::string(65537, 'x'))), E2BIG);
  EXPECT_EQ(ErrorOf(Set("f", "odd.a", "x")), EOPNOTSUPP);
  EXPECT_EQ(ErrorOf(Set("f", "user.kvfs.version", "1")), EPERM);
  EXPECT_EQ(ErrorOf(Set("f", "system.posix_acl_access", "x")), EINVAL);
}

TEST_F(MountedXattrs, TheLargestIsKept) {
  Put("f", "value");
  ASSERT_EQ(Set("f", "user.big", std::string(65536, 'x')), 0);
  mounted().Remount();
  EXPECT_EQ(Run("getfattr --only-values -n user.big --absolute-names $M/f | wc -c"), "65536\n");
}

TEST_F(MountedXattrs, TellVersionAndChecksum) {
  Put("f", "value");
  const std::string version = Read("f", "user.kvfs.version");
  EXPECT_GT(std::stoull(version), 0u);
  EXPECT_EQ(Read("f", "user.kvfs.checksum").size(), 32u);
  Put("f", "other");
  EXPECT_NE(Read("f", "user.kvfs.version"), version);
  EXPECT_EQ(Run("getfattr -m - --absolute-names $M/f"), "");
}

TEST_F(MountedXattrs, OfAnOpenUnlinkedFileWork) {
  Put("f", "value");
  const Descriptor file(Path("f"), O_RDWR);
  ASSERT_EQ(fsetxattr(file, "user.a", "one", 3, 0), 0);
  ASSERT_EQ(unlink(Path("f").c_str()), 0);
  char value[3];
  EXPECT_EQ(fgetxattr(file, "user.a", value, 3), 3);
}

TEST_F(MountedXattrs, ToolsCopyThem) {
  Run("mkdir $M/d; echo 1 > $M/d/f; setfattr -n user.a -v one $M/d/f; setfattr -n user.b $M/d");
  Run("cp -a $M/d $M/e; rsync -aX $M/d/ $M/g; tar --xattrs -cf t -C $M d; mkdir $M/t");
  Run("tar --xattrs -xf t -C $M/t");
  for (const char* copy : {"$M/e", "$M/g", "$M/t/d"}) {
    EXPECT_EQ(Run(std::string("cd ") + copy + "; getfattr -d f . | grep ="),
              "user.a=\"one\"\nuser.b=\"\"\n")
        << copy;
  }
}

TEST_F(MountedXattrs, FileCapabilitiesGoWithAWrite) {
  // An ordinary user may run the tests as well.
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give capabilities";
  Put("f", "value");
  const std::string capability("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  ASSERT_EQ(Set("f", "security.capability", capability), 0) << std::strerror(errno);
  EXPECT_EQ(Read("f", "security.capability").size(), 20u);
  const Descriptor file(Path("f"), O_WRONLY | O_APPEND);
  Append(file, "!");
  EXPECT_EQ(Read("f", "security.capability"), std::strerror(ENODATA));
}

// The kernel requests the capabilities before the first write after each refresh of a file's
// attributes, not before each write.
TEST_F(MountedXattrs, CostOneMessageBeforeTheFirstOfManyWrites) {
  const Descriptor file(Path("f"), O_WRONLY | O_CREAT | O_APPEND);
  struct stat ignored;
  stat(Path("").c_str(), &ignored);
  mounted().TakeMessages();
  for (int i = 0; i < 10; ++i) Append(file, "value");
  EXPECT_EQ(mounted().TakeMessages(), (Messages{{"getxattr", 1}, {"write", 10}}));
}

TEST_F(MountedXattrs, ListingsAskOnceForEachKind) {
  Run("seq 20 | sed \"s|^|$M/|\" | xargs touch");
  mounted().Remount();
  Run("ls $M");
  mounted().TakeMessages();
  Run("ls -l $M");
  EXPECT_LE(mounted().TakeMessages()["getxattr"], 2u);
}

TEST_F(MountedXattrs, AStoreThatHasSomeIsMountedWithThem) {
  Put("f", "value");
  ASSERT_EQ(Set("f", "user.a", "one"), 0);
  mounted().RemountWith({});
  EXPECT_EQ(Read("f", "user.a"), "one");
}

class MountedWithoutXattrs : public MountedXattrs {
 protected:
  MountedWithoutXattrs() { options_.extended_attributes = false; }
};

TEST_F(MountedWithoutXattrs, TheyAreRefused) {
  Put("f", "value");
  EXPECT_EQ(ErrorOf(Set("f", "user.a", "b")), EOPNOTSUPP);
  EXPECT_EQ(Read("f", "user.kvfs.version"), std::strerror(EOPNOTSUPP));
}

class MountedAccessLists : public MountedXattrs {
 protected:
  MountedAccessLists() { options_.access_lists = true; }
};

TEST_F(MountedAccessLists, AreSetShownAndKept) {
  Run("echo 1 > $M/f; chmod 640 $M/f; setfacl -m u:$(id -u):rw $M/f");
  EXPECT_EQ(Run("stat -c %a $M/f; getfacl -cn --absolute-names $M/f | sed s/$(id -u)/me/"),
            "660\nuser::rw-\nuser:me:rw-\ngroup::r--\nmask::rw-\nother::---\n\n");
  Run("chmod 604 $M/f");
  mounted().RemountWith(options_);
  EXPECT_EQ(Run("getfacl -cnE --absolute-names $M/f | sed s/$(id -u)/me/"),
            "user::rw-\nuser:me:rw-\ngroup::r--\nmask::---\nother::r--\n\n");
  Run("setfacl -b $M/f; test -z \"$(getfattr -m - $M/f)\"");
}

TEST_F(MountedAccessLists, DefaultsAreInheritedInsteadOfTheUmask) {
  Run("mkdir $M/d; setfacl -d -m u:$(id -u):rwx,o::- $M/d; umask 077; echo 1 > $M/d/f; mkdir "
      "$M/d/e");
  EXPECT_EQ(Run("stat -c %a $M/d/f $M/d/e"), "660\n770\n");
  EXPECT_EQ(Run("getfacl -cn --absolute-names $M/d/e | grep -c default"), "5\n");
  EXPECT_EQ(Run("umask 027; echo 1 > $M/g; stat -c %a $M/g"), "640\n");
}

}  // namespace
}  // namespace kvfs::fs
