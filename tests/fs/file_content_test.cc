// Contents by range, and files that get their name after their content.
#include <sys/stat.h>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class FileContent : public FileSystemFixture {
 protected:
  std::string ReadRange(const InodeInfo& file, uint64_t offset, size_t length) {
    std::string out(length, '?');
    const auto got = fs().Read(file.number, offset, std::as_writable_bytes(std::span(out)));
    EXPECT_TRUE(got);
    return out.substr(0, got.value_or(0));
  }
};

TEST_F(FileContent, ReadsEndAtTheEndOfTheFile) {
  const InodeInfo file = File("f", "0123456789");
  EXPECT_EQ(ReadRange(file, 3, 4), "3456");
  EXPECT_EQ(ReadRange(file, 8, 4), "89");
  EXPECT_EQ(ReadRange(file, 10, 4), "");
  EXPECT_EQ(ReadRange(file, 1000, 4), "");
}

TEST_F(FileContent, WritesReplaceExtendAndLeaveHoles) {
  const InodeInfo file = File("f", "0123456789");
  Write(file.number, 2, "ab");
  Write(file.number, 10, "cd");
  Write(file.number, 14, "e");
  EXPECT_EQ(Read(file.number), std::string("01ab456789cd\0\0e", 15));
}

TEST_F(FileContent, WritesTouchMtimeAndCtimeButNotAtime) {
  const InodeInfo file = File("f");
  PassSeconds(5);
  Write(file.number, 0, "x");
  const Attributes a = Stat(file.number).attributes;
  EXPECT_EQ(a.mtime, now());
  EXPECT_EQ(a.ctime, now());
  EXPECT_EQ(a.atime, file.attributes.atime);
}

TEST_F(FileContent, ReadsTouchNothing) {
  const InodeInfo file = File("f", "content");
  const Attributes before = Stat(file.number).attributes;
  PassSeconds(5);
  Read(file.number);
  EXPECT_EQ(Stat(file.number).attributes, before);
}

TEST_F(FileContent, WritingNothingChangesNothing) {
  const InodeInfo file = File("f", "content");
  const Attributes before = Stat(file.number).attributes;
  PassSeconds(5);
  Write(file.number, 1000, "");
  EXPECT_EQ(Stat(file.number).attributes, before);
  EXPECT_EQ(Stat(file.number).size_bytes, 7u);
}

TEST_F(FileContent, LargeContentsComeBackWhole) {
  std::string content(3'000'000, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 1000);
  const InodeInfo file = File("f");
  for (size_t at = 0; at < content.size(); at += 1 << 20) {
    Write(file.number, at, std::string_view(content).substr(at, 1 << 20));
  }
  Reopen();
  EXPECT_EQ(ReadName("f"), content);
  EXPECT_GE(Find("f").allocated_bytes, 3'000'000u);
}

TEST_F(FileContent, EndsBeyondTheLimitAreTooLarge) {
  const InodeInfo file = File("f");
  EXPECT_EQ(CodeOf(fs().Write(file.number, kMaxContentBytes, AsBytes("x"), kRoot)),
            ErrorCode::kTooLarge);
  EXPECT_EQ(CodeOf(fs().Write(file.number, UINT64_MAX, AsBytes("x"), kRoot)), ErrorCode::kTooLarge);
}

TEST_F(FileContent, DirectoriesHaveNoContent) {
  std::byte buffer[10];
  EXPECT_EQ(CodeOf(fs().Read(kRootInode, 0, buffer)), ErrorCode::kIsDirectory);
  EXPECT_EQ(CodeOf(fs().Write(kRootInode, 0, AsBytes("x"), kRoot)), ErrorCode::kIsDirectory);
}

class UnnamedFile : public FileSystemFixture {
 protected:
  InodeNumber Create(std::string_view content) {
    const auto file = fs().CreateUnnamedFile(kRootInode, 0600, kUser);
    EXPECT_TRUE(file);
    Write(file->number, 0, content);
    return file->number;
  }
};

TEST_F(UnnamedFile, IsThereOnceItIsNamed) {
  const InodeNumber file = Create("content");
  EXPECT_TRUE(List().empty());
  EXPECT_EQ(Stat(file).attributes.links, 0u);
  ASSERT_TRUE(fs().Link(file, kRootInode, "f"));
  Reopen();
  EXPECT_EQ(ReadName("f"), "content");
  EXPECT_EQ(Find("f").attributes.links, 1u);
  EXPECT_EQ(Find("f").attributes.uid, kUser.uid);
  EXPECT_EQ(Find("f").attributes.mode, S_IFREG | 0600u);
}

TEST_F(UnnamedFile, IsGoneIfForgottenOrAfterACrash) {
  const size_t entries = EntriesInStore();
  fs().Forget(Create("content"), 1);
  EXPECT_EQ(EntriesInStore(), entries);
  Create("content");
  CrashAndReopen();
  EXPECT_EQ(EntriesInStore(), entries);
}

}  // namespace
}  // namespace kvfs::fs
