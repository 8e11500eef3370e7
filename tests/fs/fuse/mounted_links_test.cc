// Hard links and files without a name, by system calls on a mounted store.
#include <linux/fs.h>

#include <thread>
#include <vector>

#include "tests/fs/fuse/mounted_calls.h"

namespace kvfs::fs {
namespace {

class MountedLinks : public MountedCalls {
 protected:
  int Link(const std::string& from, const std::string& to) {
    return link(Path(from).c_str(), Path(to).c_str());
  }
  struct stat Stat(const std::string& name) {
    struct stat attributes = {};
    EXPECT_EQ(lstat(Path(name).c_str(), &attributes), 0) << name;
    return attributes;
  }
  std::string DescriptorPath(int file) { return "/proc/self/fd/" + std::to_string(file); }
};

TEST_F(MountedLinks, NamesShareContentAndAttributes) {
  Put("a", "value");
  ASSERT_EQ(Link("a", "b"), 0);
  EXPECT_EQ(Stat("a").st_ino, Stat("b").st_ino);
  EXPECT_EQ(Stat("a").st_nlink, 2u);
  Put("b", "changed");
  EXPECT_EQ(Get("a"), "changed");
  EXPECT_EQ(Stat("a").st_size, 7);
  mounted().Remount();
  EXPECT_EQ(Get("b"), "changed");
  EXPECT_EQ(Stat("b").st_nlink, 2u);
  ASSERT_EQ(unlink(Path("a").c_str()), 0);
  EXPECT_EQ(Stat("b").st_nlink, 1u);
}

TEST_F(MountedLinks, ErrorsAreLinuxs) {
  Put("a", "value");
  Put("b", "other");
  ASSERT_EQ(mkdir(Path("d").c_str(), 0755), 0);
  EXPECT_EQ(ErrorOf(Link("a", "b")), EEXIST);
  EXPECT_EQ(ErrorOf(Link("d", "e")), EPERM);
  EXPECT_EQ(ErrorOf(Link("absent", "e")), ENOENT);
  EXPECT_EQ(ErrorOf(Link("a", "b/c")), ENOTDIR);
  EXPECT_EQ(ErrorOf(Link("a", std::string(256, 'x'))), ENAMETOOLONG);
}

TEST_F(MountedLinks, ASymbolicLinkHasSeveralNames) {
  ASSERT_EQ(symlink("target", Path("s").c_str()), 0);
  ASSERT_EQ(Link("s", "t"), 0);
  EXPECT_EQ(Run("readlink $M/t"), "target\n");
  EXPECT_EQ(Stat("s").st_nlink, 2u);
}

TEST_F(MountedLinks, AnUnlinkedFileIsNotLinkedAgain) {
  Put("f", "value");
  const Descriptor file(Path("f"), O_RDWR);
  ASSERT_EQ(unlink(Path("f").c_str()), 0);
  EXPECT_EQ(ErrorOf(linkat(AT_FDCWD, DescriptorPath(file).c_str(), AT_FDCWD, Path("g").c_str(),
                           AT_SYMLINK_FOLLOW)),
            ENOENT);
}

TEST_F(MountedLinks, AnOpenFileOutlivesAllItsNames) {
  Put("a", "value");
  ASSERT_EQ(Link("a", "b"), 0);
  const Descriptor file(Path("b"), O_RDWR);
  ASSERT_EQ(unlink(Path("a").c_str()), 0);
  ASSERT_EQ(unlink(Path("b").c_str()), 0);
  EXPECT_EQ(GetFrom(file), "value");
  struct stat attributes;
  ASSERT_EQ(fstat(file, &attributes), 0);
  EXPECT_EQ(attributes.st_nlink, 0u);
}

TEST_F(MountedLinks, NamesOfOneFileAreRenamedApart) {
  Put("a", "value");
  Put("c", "other");
  ASSERT_EQ(Link("a", "b"), 0);
  ASSERT_EQ(rename(Path("a").c_str(), Path("b").c_str()), 0);
  EXPECT_EQ(Stat("a").st_nlink, 2u);
  ASSERT_EQ(renameat2(AT_FDCWD, Path("a").c_str(), AT_FDCWD, Path("c").c_str(), RENAME_EXCHANGE),
            0);
  EXPECT_EQ(Get("a"), "other");
  EXPECT_EQ(Stat("c").st_ino, Stat("b").st_ino);
}

TEST_F(MountedLinks, ManyThreadsLinkAndUnlink) {
  Put("f", "value");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 100; ++j) {
        const std::string name = "l" + std::to_string(i) + "-" + std::to_string(j);
        EXPECT_EQ(Link("f", name), 0);
        if (j % 2 == 0) {
          EXPECT_EQ(unlink(Path(name).c_str()), 0);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Stat("f").st_nlink, 201u);
  EXPECT_EQ(Run("find $M -samefile $M/f | wc -l"), "201\n");
}

TEST_F(MountedLinks, AFileWithoutANameIsWrittenReadAndGone) {
  const uint64_t before = mounted().CountEntries();
  {
    const Descriptor file(Path(""), O_TMPFILE | O_RDWR, 0600);
    Append(file, "value");
    EXPECT_EQ(GetFrom(file), "value");
    struct stat attributes;
    ASSERT_EQ(fstat(file, &attributes), 0);
    EXPECT_EQ(attributes.st_nlink, 0u);
    EXPECT_EQ(attributes.st_mode, S_IFREG | 0600u);
    EXPECT_EQ(Run("ls -A $M"), "");
  }
  mounted().TakeMessages();  // waits for the kernel to forget
  EXPECT_EQ(mounted().CountEntries(), before);
}

TEST_F(MountedLinks, AFileWithoutANameIsGivenOne) {
  {
    const Descriptor file(Path(""), O_TMPFILE | O_RDWR, 0640);
    Append(file, "value");
    ASSERT_EQ(linkat(AT_FDCWD, DescriptorPath(file).c_str(), AT_FDCWD, Path("f").c_str(),
                     AT_SYMLINK_FOLLOW),
              0)
        << std::strerror(errno);
    EXPECT_EQ(Stat("f").st_nlink, 1u);
    Append(file, "!");
  }
  mounted().Remount();
  EXPECT_EQ(Get("f"), "value!");
  EXPECT_EQ(Stat("f").st_mode, S_IFREG | 0640u);
}

TEST_F(MountedLinks, AFileThatShallHaveNoNameGetsNone) {
  const Descriptor file(Path(""), O_TMPFILE | O_RDWR | O_EXCL, 0640);
  EXPECT_EQ(ErrorOf(linkat(AT_FDCWD, DescriptorPath(file).c_str(), AT_FDCWD, Path("f").c_str(),
                           AT_SYMLINK_FOLLOW)),
            ENOENT);
}

}  // namespace
}  // namespace kvfs::fs
