// Extended attributes: set, read, listed, removed; and what becomes of them when their file is
// removed.
#include <sys/stat.h>
#include <xxhash.h>

#include <thread>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class ExtendedAttributes : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> Set(const InodeInfo& inode, std::string_view name,
                               std::string_view value, XattrMode mode = XattrMode::kAny) {
    return CodeOf(fs().SetXattr(inode.number, name, value, mode, kRoot));
  }
  std::string Get(InodeNumber inode, std::string_view name) {
    const auto value = fs().GetXattr(inode, name);
    EXPECT_TRUE(value) << name;
    return value.value_or("");
  }
  std::optional<ErrorCode> ErrorOfGet(InodeNumber inode, std::string_view name) {
    return CodeOf(fs().GetXattr(inode, name));
  }
  std::vector<std::string> Listed(InodeNumber inode) { return *fs().ListXattrs(inode); }
  bool Flag(InodeNumber inode) { return Stat(inode).attributes.has_xattrs; }
};

constexpr std::optional<ErrorCode> kNoError;
using Names = std::vector<std::string>;

TEST_F(ExtendedAttributes, WhatIsSetIsRead) {
  const InodeInfo file = File("f", "content");
  PassSeconds(5);
  ASSERT_EQ(Set(file, "user.a", "one"), kNoError);
  ASSERT_EQ(Set(file, "security.b", std::string("\0\xff", 2)), kNoError);
  ASSERT_EQ(Set(file, "trusted.c", ""), kNoError);
  EXPECT_EQ(Get(file.number, "user.a"), "one");
  EXPECT_EQ(Get(file.number, "security.b"), std::string("\0\xff", 2));
  EXPECT_EQ(Get(file.number, "trusted.c"), "");
  EXPECT_EQ(Listed(file.number), (Names{"security.b", "trusted.c", "user.a"}));
  EXPECT_EQ(Stat(file.number).attributes.ctime, now());
  EXPECT_NE(Stat(file.number).attributes.mtime, now());
}

TEST_F(ExtendedAttributes, CostNothingWhereThereAreNone) {
  const InodeInfo file = File("f");
  const size_t entries = EntriesInStore();
  EXPECT_FALSE(*fs().HasXattrs());
  ASSERT_EQ(Set(file, "user.a", "one"), kNoError);
  ASSERT_EQ(Set(file, "user.b", "two"), kNoError);
  EXPECT_TRUE(Flag(file.number));
  EXPECT_TRUE(*fs().HasXattrs());
  EXPECT_EQ(EntriesInStore(), entries + 1);
  ASSERT_TRUE(fs().RemoveXattr(file.number, "user.a"));
  ASSERT_TRUE(fs().RemoveXattr(file.number, "user.b"));
  EXPECT_FALSE(Flag(file.number));
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(ExtendedAttributes, CreateAndReplaceAreKeptApart) {
  const InodeInfo file = File("f");
  EXPECT_EQ(Set(file, "user.a", "x", XattrMode::kReplace), ErrorCode::kNotFound);
  EXPECT_EQ(Set(file, "user.a", "one", XattrMode::kCreate), kNoError);
  EXPECT_EQ(Set(file, "user.a", "x", XattrMode::kCreate), ErrorCode::kExists);
  EXPECT_EQ(Set(file, "user.a", "two", XattrMode::kReplace), kNoError);
  EXPECT_EQ(Get(file.number, "user.a"), "two");
}

TEST_F(ExtendedAttributes, AbsentOnesAreNotFound) {
  const InodeInfo file = File("f");
  EXPECT_EQ(ErrorOfGet(file.number, "user.a"), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(fs().RemoveXattr(file.number, "user.a")), ErrorCode::kNotFound);
  EXPECT_EQ(Listed(file.number), Names{});
  EXPECT_EQ(ErrorOfGet(4711, "user.a"), ErrorCode::kStale);
  EXPECT_EQ(Set(Inode(4711), "user.a", ""), ErrorCode::kStale);
}

TEST_F(ExtendedAttributes, NamesAreOfANamespace) {
  const InodeInfo file = File("f");
  EXPECT_EQ(Set(file, "a", ""), ErrorCode::kUnsupported);
  EXPECT_EQ(Set(file, "os2.a", ""), ErrorCode::kUnsupported);
  EXPECT_EQ(Set(file, "system.a", ""), ErrorCode::kUnsupported);
  EXPECT_EQ(Set(file, "user.", ""), ErrorCode::kInvalid);
  EXPECT_EQ(Set(file, "user." + std::string(250, 'x'), "longest"), kNoError);
  EXPECT_EQ(Set(file, "user." + std::string(251, 'x'), ""), ErrorCode::kNameTooLong);
}

TEST_F(ExtendedAttributes, HaveLinuxsLimits) {
  const InodeInfo file = File("f");
  const std::string largest(65536, 'x');
  EXPECT_EQ(Set(file, "user.a", largest), kNoError);
  EXPECT_EQ(Get(file.number, "user.a"), largest);
  EXPECT_EQ(Set(file, "user.a", largest + 'x'), ErrorCode::kTooLarge);
  std::optional<ErrorCode> error;
  for (int i = 0; !error && i < 100; ++i) error = Set(file, "user." + std::to_string(i), largest);
  EXPECT_EQ(error, ErrorCode::kNoSpace);
  EXPECT_EQ(Get(file.number, "user.a"), largest);
}

TEST_F(ExtendedAttributes, StayAcrossRenameLinkAndReopening) {
  const InodeInfo file = File("f"), directory = Directory("d");
  ASSERT_EQ(Set(file, "user.a", "one"), kNoError);
  ASSERT_EQ(Set(directory, "user.a", "two"), kNoError);
  ASSERT_TRUE(fs().Rename(kRootInode, "f", directory.number, "g", RenameMode::kReplace));
  ASSERT_TRUE(fs().Link(file.number, kRootInode, "h"));
  Reopen();
  EXPECT_EQ(Get(Find("h").number, "user.a"), "one");
  EXPECT_EQ(Get(Find("d").number, "user.a"), "two");
}

TEST_F(ExtendedAttributes, OfTheRootAndOfTheLibrarysEntries) {
  ASSERT_TRUE(store().Put("plain", "value"));
  ASSERT_EQ(Set(Find("plain"), "user.a", "one"), kNoError);
  ASSERT_EQ(Set(Inode(kRootInode), "user.a", "two"), kNoError);
  Reopen();
  EXPECT_EQ(Get(Find("plain").number, "user.a"), "one");
  EXPECT_EQ(Get(kRootInode, "user.a"), "two");
  EXPECT_EQ(*store().Get("plain"), "value");
}

TEST_F(ExtendedAttributes, GoWithTheirFile) {
  const size_t entries = EntriesInStore();
  const InodeInfo file = File("f"), directory = Directory("d"), replaced = File("r");
  for (const InodeInfo& inode : {file, directory, replaced}) {
    ASSERT_EQ(Set(inode, "user.a", "one"), kNoError);
    ForgetAll(inode);
  }
  ASSERT_TRUE(fs().Rename(kRootInode, "f", kRootInode, "r", RenameMode::kReplace));
  EXPECT_EQ(EntriesInStore(), entries + 4);
  ASSERT_TRUE(fs().Unlink(kRootInode, "r"));
  ASSERT_TRUE(fs().RemoveDirectory(kRootInode, "d"));
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(ExtendedAttributes, OfAnUnlinkedFileWorkOnAndGoWithIt) {
  const size_t entries = EntriesInStore();
  const InodeInfo file = File("f");
  ASSERT_EQ(Set(file, "user.a", "one"), kNoError);
  ASSERT_TRUE(fs().Unlink(kRootInode, "f"));
  EXPECT_EQ(Get(file.number, "user.a"), "one");
  ASSERT_EQ(Set(file, "user.b", "two"), kNoError);
  EXPECT_EQ(Listed(file.number), (Names{"user.a", "user.b"}));
  ForgetAll(file);
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(ExtendedAttributes, NothingIsLeftOfAnUnlinkedFilesAfterACrash) {
  const size_t entries = EntriesInStore();
  const InodeInfo file = File("f");
  ASSERT_EQ(Set(file, "user.a", "one"), kNoError);
  ASSERT_TRUE(fs().Unlink(kRootInode, "f"));
  const auto unnamed = fs().CreateUnnamedFile(kRootInode, 0600, kUser);
  ASSERT_EQ(Set(*unnamed, "user.a", "two"), kNoError);
  CrashAndReopen();
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(ExtendedAttributes, OfAnUnnamedFileStayWhenItIsNamed) {
  const auto file = fs().CreateUnnamedFile(kRootInode, 0600, kUser);
  ASSERT_EQ(Set(*file, "user.a", "one"), kNoError);
  ASSERT_TRUE(fs().Link(file->number, kRootInode, "f"));
  CrashAndReopen();
  EXPECT_EQ(Get(Find("f").number, "user.a"), "one");
}

TEST_F(ExtendedAttributes, TellTheVersionAndTheChecksumOfEveryFile) {
  const InodeInfo file = File("f", "content");
  const uint64_t before = std::stoull(Get(file.number, kVersionXattr));
  EXPECT_EQ(before, store().Stat({kRootDirectory, "f"})->version);
  // As computed by `printf content | xxh128sum`.
  XXH128_canonical_t digest;
  XXH128_canonicalFromHash(&digest, XXH3_128bits("content", 7));
  const std::string checksum = Get(file.number, kChecksumXattr);
  ASSERT_EQ(checksum.size(), 32u);
  EXPECT_EQ(std::stoul(checksum.substr(0, 2), nullptr, 16), digest.digest[0]);
  EXPECT_EQ(std::stoul(checksum.substr(30, 2), nullptr, 16), digest.digest[15]);
  Write(file.number, 0, "C");
  EXPECT_GT(std::stoull(Get(file.number, kVersionXattr)), before);
  EXPECT_NE(Get(file.number, kChecksumXattr), checksum);
  EXPECT_EQ(Listed(file.number), Names{});
  EXPECT_EQ(Set(file, kVersionXattr, "1"), ErrorCode::kPermission);
  EXPECT_EQ(CodeOf(fs().RemoveXattr(file.number, kChecksumXattr)), ErrorCode::kPermission);
}

TEST_F(ExtendedAttributes, TheChecksumOfALargeFileIsThatOfItsBytes) {
  const InodeInfo one = File("one"), two = File("two");
  const std::string content(3'000'000, 'x');
  Write(one.number, 0, content);
  for (size_t at = 0; at < content.size(); at += 100'000) {
    Write(two.number, at, content.substr(at, 100'000));
  }
  EXPECT_EQ(Get(one.number, kChecksumXattr), Get(two.number, kChecksumXattr));
}

TEST_F(ExtendedAttributes, ChangesOfManyThreadsAreAllKept) {
  const InodeInfo file = File("f");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(Set(file, "user." + std::to_string(t) + "." + std::to_string(i), "x"), kNoError);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Listed(file.number).size(), 200u);
}

TEST_F(ExtendedAttributes, DamagedOnesAreReportedAndKept) {
  const InodeInfo file = File("f", "content");
  ASSERT_EQ(Set(file, "user.a", "one"), kNoError);
  const std::string number = std::to_string(file.number);
  for (const std::string_view damage :
       {std::string_view(""), std::string_view("\7"), std::string_view("\1\0\0\0\0\0", 6),
        std::string_view("\1\1\1\0\0\0x", 7), std::string_view("\1\1\0\0\0\0b\1\0\0\0\0a", 13)}) {
    Batch batch;
    batch.Put({kXattrDirectory, number}, AsBytes(damage));
    ASSERT_TRUE(store().Apply(batch));
    EXPECT_EQ(ErrorOfGet(file.number, "user.a"), ErrorCode::kCorrupt);
    EXPECT_EQ(CodeOf(fs().ListXattrs(file.number)), ErrorCode::kCorrupt);
    EXPECT_EQ(Set(file, "user.b", ""), ErrorCode::kCorrupt);
  }
  EXPECT_EQ(Read(file.number), "content");
  ForgetAll(file);
  EXPECT_TRUE(fs().Unlink(kRootInode, "f"));
}

TEST_F(ExtendedAttributes, AFileWhoseOnesAreLostCanBeRemoved) {
  const InodeInfo file = File("f");
  ASSERT_EQ(Set(file, "user.a", "one"), kNoError);
  Batch batch;
  const std::string number = std::to_string(file.number);
  batch.Erase({kXattrDirectory, number});
  ASSERT_TRUE(store().Apply(batch));
  EXPECT_EQ(ErrorOfGet(file.number, "user.a"), ErrorCode::kNotFound);
  EXPECT_EQ(Set(file, "user.b", "two"), kNoError);
  ForgetAll(file);
  EXPECT_TRUE(fs().Unlink(kRootInode, "f"));
}

TEST(XattrBytes, AreAsDocumented) {
  const XattrMap xattrs = {{"user.a", "xyz"}, {"user.b", ""}};
  const std::string content = EncodeXattrs(xattrs);
  EXPECT_EQ(content, std::string("\x01"
                                 "\x06\x03\0\0\0user.axyz"
                                 "\x06\0\0\0\0user.b",
                                 1 + 5 + 9 + 5 + 6));
  EXPECT_EQ(*DecodeXattrs(content), xattrs);
  for (size_t length = 2; length < content.size(); ++length) {
    if (length == 1 + 5 + 9) continue;  // the first alone is well formed
    EXPECT_FALSE(DecodeXattrs(content.substr(0, length))) << length;
  }
}

}  // namespace
}  // namespace kvfs::fs
