// Changes of attributes, and which other attributes they change, as on Linux.
#include <sys/stat.h>

#include <thread>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class InodeAttributes : public FileSystemFixture {
 protected:
  InodeAttributes() { PassSeconds(100); }

  Attributes Set(const InodeInfo& file, const AttributeChange& change, Caller caller = kRoot) {
    const auto changed = fs().SetAttributes(file.number, change, caller);
    EXPECT_TRUE(changed);
    return changed ? changed->attributes : Attributes{};
  }
};

TEST_F(InodeAttributes, ModeKeepsTheTypeAndTouchesCtimeOnly) {
  const InodeInfo file = File("f");
  PassSeconds(5);
  const Attributes a = Set(file, {.permissions = S_IFDIR | 06711});
  EXPECT_EQ(a.mode, S_IFREG | 06711u);
  EXPECT_EQ(a.ctime, now());
  EXPECT_EQ(a.mtime, file.attributes.mtime);
}

TEST_F(InodeAttributes, TimesAreKeptToTheNanosecond) {
  const InodeInfo file = File("f");
  Set(file, {.atime = Timespec{-5, 1}, .mtime = Timespec{5'000'000'000, 999'999'999}});
  Reopen();
  const Attributes a = Find("f").attributes;
  EXPECT_EQ(a.atime, (Timespec{-5, 1}));
  EXPECT_EQ(a.mtime, (Timespec{5'000'000'000, 999'999'999}));
}

TEST_F(InodeAttributes, OwnersCanBeChangedOneByOne) {
  const InodeInfo file = File("f");
  EXPECT_EQ(Set(file, {.uid = 5}).uid, 5u);
  const Attributes a = Set(file, {.gid = 6});
  EXPECT_EQ(a.uid, 5u);
  EXPECT_EQ(a.gid, 6u);
}

TEST_F(InodeAttributes, ChangingTheOwnerClearsSetuidAndSetgid) {
  const InodeInfo file = File("f");
  Set(file, {.permissions = 06755});
  EXPECT_EQ(Set(file, {.uid = 5}).mode, S_IFREG | 0755u);
  EXPECT_EQ(Set(file, {.permissions = 06755, .uid = 6}).mode, S_IFREG | 06755u);
}

TEST_F(InodeAttributes, ChangingTheOwnerKeepsTheBitsOfADirectory) {
  const InodeInfo directory = Directory("d");
  Set(directory, {.permissions = 06755});
  EXPECT_EQ(Set(directory, {.gid = 5}).mode, S_IFDIR | 06755u);
}

TEST_F(InodeAttributes, SetgidWithoutGroupExecuteStays) {
  const InodeInfo file = File("f");
  Set(file, {.permissions = 06745});
  EXPECT_EQ(Set(file, {.uid = 5}).mode, S_IFREG | 02745u);
}

TEST_F(InodeAttributes, AUsersWriteClearsSetuidAndRootsDoesNot) {
  const InodeInfo file = File("f");
  Set(file, {.permissions = 06777});
  Write(file.number, 0, "x", kRoot);
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 06777u);
  Write(file.number, 0, "x", kUser);
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 0777u);
}

TEST_F(InodeAttributes, AUsersTruncationClearsSetuidAndRootsDoesNot) {
  const InodeInfo file = File("f", "content");
  Set(file, {.permissions = 04777});
  EXPECT_EQ(Set(file, {.size_bytes = 3}, kRoot).mode, S_IFREG | 04777u);
  EXPECT_EQ(Set(file, {.size_bytes = 0}, kUser).mode, S_IFREG | 0777u);
}

TEST_F(InodeAttributes, SetgidWithoutGroupExecuteStaysForTheGroupOnly) {
  const InodeInfo file = File("f");
  const AttributeChange setgid = {.permissions = 02666, .gid = 77};
  Set(file, setgid);
  Write(file.number, 0, "x", {1000, 77});
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 02666u);
  Write(file.number, 0, "x", kUser);
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 0666u);
}

// The kernel requests it for any caller.
TEST_F(InodeAttributes, WhoMayLeaveSetIdBitsLeavesThem) {
  const InodeInfo file = File("f");
  Caller user = kUser, root = kRoot;
  user.has_fsetid = true;
  root.has_fsetid = false;
  Set(file, {.permissions = 06777});
  Write(file.number, 0, "x", user);
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 06777u);
  Write(file.number, 0, "x", root);
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 0777u);
}

// The kernel requests it on behalf of any user.
TEST_F(InodeAttributes, OnlyTheOwnerAndRootDropPrivileges) {
  const InodeInfo file = File("f");
  const Attributes before = Set(file, {.permissions = 06777, .uid = 5});
  Set(file, {.permissions = 06777});
  PassSeconds(5);
  EXPECT_EQ(Set(file, {.drops_privileges = true}, kUser).ctime, before.ctime);
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 06777u);
  EXPECT_EQ(Set(file, {.drops_privileges = true}, {5, 5}).mode, S_IFREG | 0777u);
}

TEST_F(InodeAttributes, TruncationTouchesMtimeAndCtime) {
  const InodeInfo file = File("f", "content");
  PassSeconds(5);
  const Attributes a = Set(file, {.size_bytes = 3});
  EXPECT_EQ(a.mtime, now());
  EXPECT_EQ(a.ctime, now());
  EXPECT_EQ(Read(file.number), "con");
}

TEST_F(InodeAttributes, SizeModeAndTimesChangeTogether) {
  const InodeInfo file = File("f", "content");
  const Attributes a = Set(file, {.permissions = 0600, .size_bytes = 9, .mtime = Timespec{42, 0}});
  EXPECT_EQ(a.mode, S_IFREG | 0600u);
  EXPECT_EQ(a.mtime, (Timespec{42, 0}));
  EXPECT_EQ(Read(file.number), std::string("content\0\0", 9));
}

TEST_F(InodeAttributes, AskingForNoChangeChangesNothing) {
  const InodeInfo file = File("f");
  PassSeconds(5);
  EXPECT_EQ(Set(file, {}), file.attributes);
}

TEST_F(InodeAttributes, OnlyRegularFilesHaveASizeToSet) {
  const auto pipe = fs().CreateFile(kRootInode, "p", S_IFIFO, 0, kRoot);
  const AttributeChange resize = {.size_bytes = 1};
  EXPECT_EQ(CodeOf(fs().SetAttributes(pipe->number, resize, kRoot)), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(fs().SetAttributes(kRootInode, resize, kRoot)), ErrorCode::kIsDirectory);
}

TEST_F(InodeAttributes, SizesBeyondTheLimitAreTooLarge) {
  const InodeInfo file = File("f");
  const AttributeChange resize = {.size_bytes = kMaxContentBytes + 1};
  EXPECT_EQ(CodeOf(fs().SetAttributes(file.number, resize, kRoot)), ErrorCode::kTooLarge);
}

TEST_F(InodeAttributes, TheRootsAttributesOutliveReopening) {
  ASSERT_TRUE(fs().SetAttributes(kRootInode, {.permissions = 01777, .uid = 9}, kRoot));
  Reopen();
  EXPECT_EQ(Stat(kRootInode).attributes.mode, S_IFDIR | 01777u);
  EXPECT_EQ(Stat(kRootInode).attributes.uid, 9u);
}

TEST_F(InodeAttributes, ChangesOfManyThreadsAreAllKept) {
  const InodeInfo directory = Directory("d");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 50; ++j) Directory(std::to_string(i * 50 + j), directory.number);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Stat(directory.number).attributes.links, 202u);
}

}  // namespace
}  // namespace kvfs::fs
