// Files with several names: created, looked up, listed, renamed, removed; and after a crash, or in
// a damaged store.
#include "fs/hard_link.h"

#include <sys/stat.h>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

using namespace std::string_view_literals;

class HardLinks : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> Link(const InodeInfo& file, std::string_view name,
                                InodeNumber parent = kRootInode) {
    return CodeOf(fs().Link(file.number, parent, name));
  }
  std::optional<ErrorCode> Move(std::string_view from, std::string_view to,
                                RenameMode mode = RenameMode::kReplace) {
    return CodeOf(fs().Rename(kRootInode, from, kRootInode, to, mode));
  }
  // A file with two names and no references.
  InodeInfo Twice(std::string_view one, std::string_view other, std::string_view content) {
    const InodeInfo file = File(one, content);
    EXPECT_TRUE(fs().Link(file.number, kRootInode, other));
    ForgetAll(file);
    return file;
  }
  uint32_t Links(std::string_view name) {
    const InodeInfo inode = Find(name);
    fs().Forget(inode.number, 1);
    return inode.attributes.links;
  }
};

constexpr std::optional<ErrorCode> kNoError;
using Names = std::vector<std::string>;

TEST_F(HardLinks, NamesLeadToOneFile) {
  const InodeInfo file = File("a", "content");
  PassSeconds(5);
  ASSERT_EQ(Link(file, "b"), kNoError);
  EXPECT_EQ(Find("a").number, file.number);
  EXPECT_EQ(Find("b").number, file.number);
  EXPECT_EQ(Find("a").attributes.links, 2u);
  EXPECT_EQ(Find("b").attributes.ctime, now());
  Write(file.number, 0, "C");
  EXPECT_EQ(ReadName("a"), "Content");
  EXPECT_EQ(ReadName("b"), "Content");
}

TEST_F(HardLinks, TheNewNameAddsAReferenceAndTouchesItsDirectory) {
  const InodeInfo directory = Directory("d");
  const InodeInfo file = File("a");
  PassSeconds(5);
  const auto linked = fs().Link(file.number, directory.number, "b");
  ASSERT_TRUE(linked);
  EXPECT_EQ(linked->attributes.links, 2u);
  EXPECT_EQ(Stat(directory.number).attributes.mtime, now());
  fs().Forget(file.number, 1);
  EXPECT_EQ(Stat(file.number).number, file.number);
  fs().Forget(file.number, 1);
  EXPECT_EQ(CodeOf(fs().GetAttributes(file.number)), ErrorCode::kStale);
}

TEST_F(HardLinks, StayAcrossReopeningAndCrash) {
  const InodeInfo file = File("a", "content");
  ASSERT_EQ(Link(file, "b"), kNoError);
  ASSERT_EQ(Link(file, "c"), kNoError);
  Reopen();
  EXPECT_EQ(Links("b"), 3u);
  CrashAndReopen();
  EXPECT_EQ(Find("c").number, file.number);
  EXPECT_EQ(ReadName("a"), "content");
}

TEST_F(HardLinks, ListingsTellTheFilesNumberAndType) {
  const auto link = fs().MakeSymbolicLink(kRootInode, "s", "target", kRoot);
  ASSERT_EQ(Link(*link, "t"), kNoError);
  const auto plain = fs().ListDirectory(kRootInode, 2, {4096, EntryBytes});
  const auto plus = fs().ListDirectoryPlus(kRootInode, 2, {4096, EntryBytes});
  ASSERT_TRUE(plain && plus);
  ASSERT_EQ(plain->size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ((*plain)[i].inode.number, link->number);
    EXPECT_EQ((*plain)[i].inode.attributes.mode & S_IFMT, uint32_t{S_IFLNK});
    EXPECT_EQ((*plus)[i].inode.number, link->number);
    EXPECT_EQ((*plus)[i].inode.attributes.links, 2u);
  }
  ForgetAll(*link);
  EXPECT_EQ(fs().CountReferencedInodes(), 0u);
}

TEST_F(HardLinks, EveryKindOfFileButDirectoriesIsLinked) {
  const auto pipe = fs().CreateFile(kRootInode, "p", S_IFIFO | 0600, 0, kRoot);
  ASSERT_EQ(Link(*pipe, "q"), kNoError);
  EXPECT_EQ(Find("q").attributes.mode, S_IFIFO | 0600u);
  EXPECT_EQ(Link(Directory("d"), "e"), ErrorCode::kPermission);
  EXPECT_EQ(Link(Inode(kRootInode), "r"), ErrorCode::kPermission);
}

TEST_F(HardLinks, RefuseWhatLinkRefuses) {
  const InodeInfo file = File("a");
  File("b", "other");
  EXPECT_EQ(Link(file, "b"), ErrorCode::kExists);
  EXPECT_EQ(Link(file, "a"), ErrorCode::kExists);
  EXPECT_EQ(Link(file, "x", file.number), ErrorCode::kNotDirectory);
  EXPECT_EQ(Link(file, std::string(256, 'x')), ErrorCode::kNameTooLong);
  EXPECT_EQ(Link(Inode(4711), "x"), ErrorCode::kStale);
  const InodeInfo removed = Directory("d");
  ASSERT_TRUE(fs().RemoveDirectory(kRootInode, "d"));
  EXPECT_EQ(Link(file, "x", removed.number), ErrorCode::kNotFound);
  EXPECT_EQ(Links("a"), 1u);
  EXPECT_EQ(ReadName("b"), "other");
}

TEST_F(HardLinks, EndAtTheGreatestNumber) {
  const InodeInfo file = File("a");
  ASSERT_EQ(Link(file, "b"), kNoError);
  const std::string shared = SharedName(file.number);
  Batch batch;
  batch.EditMeta({kSharedDirectory, shared}, [](std::string& meta) {
    Attributes attributes = *DecodeAttributes(meta);
    attributes.links = kMaxLinks;
    meta = EncodeAttributes(attributes);
  });
  ASSERT_TRUE(store().Apply(batch));
  EXPECT_EQ(Link(file, "c"), ErrorCode::kTooManyLinks);
}

TEST_F(HardLinks, OnlyFilesWithSeveralNamesPay) {
  const size_t entries = EntriesInStore();
  const InodeInfo file = File("a");
  EXPECT_EQ(EntriesInStore(), entries + 1);
  ASSERT_EQ(Link(file, "b"), kNoError);
  EXPECT_EQ(EntriesInStore(), entries + 3);
  ASSERT_EQ(Link(file, "c"), kNoError);
  EXPECT_EQ(EntriesInStore(), entries + 4);
}

TEST_F(HardLinks, AFileLivesUntilItsLastNameGoes) {
  const size_t entries = EntriesInStore();
  Twice("a", "b", "content");
  PassSeconds(5);
  ASSERT_TRUE(fs().Unlink(kRootInode, "a"));
  EXPECT_EQ(Links("b"), 1u);
  EXPECT_EQ(Find("b").attributes.ctime, now());
  EXPECT_EQ(ReadName("b"), "content");
  ForgetAll(Find("b"));
  ASSERT_TRUE(fs().Unlink(kRootInode, "b"));
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(HardLinks, AFileWithOneNameLeftIsLinkedAgain) {
  const InodeInfo file = File("a", "content");
  ASSERT_EQ(Link(file, "b"), kNoError);
  ASSERT_TRUE(fs().Unlink(kRootInode, "a"));
  ASSERT_EQ(Link(file, "c"), kNoError);
  EXPECT_EQ(Links("c"), 2u);
  EXPECT_EQ(ReadName("c"), "content");
}

TEST_F(HardLinks, AReferencedFileOutlivesItsLastName) {
  const size_t entries = EntriesInStore();
  const InodeInfo file = File("a", "content");
  ASSERT_EQ(Link(file, "b"), kNoError);
  ASSERT_TRUE(fs().Unlink(kRootInode, "a"));
  ASSERT_TRUE(fs().Unlink(kRootInode, "b"));
  EXPECT_EQ(Stat(file.number).attributes.links, 0u);
  EXPECT_EQ(Read(file.number), "content");
  ForgetAll(file);
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(HardLinks, NothingIsLeftOfAReferencedFileAfterACrash) {
  const size_t entries = EntriesInStore();
  const InodeInfo file = File("a", "content");
  ASSERT_EQ(Link(file, "b"), kNoError);
  ASSERT_TRUE(fs().Unlink(kRootInode, "a"));
  ASSERT_TRUE(fs().Unlink(kRootInode, "b"));
  CrashAndReopen();
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(HardLinks, ARenamedNameStillLeads) {
  const InodeInfo file = Twice("a", "b", "content");
  const InodeInfo directory = Directory("d");
  PassSeconds(5);
  ASSERT_TRUE(fs().Rename(kRootInode, "a", directory.number, "c", RenameMode::kReplace));
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(Find("c", directory.number).number, file.number);
  EXPECT_EQ(Find("b").attributes.links, 2u);
  EXPECT_EQ(Find("b").attributes.ctime, now());
}

TEST_F(HardLinks, RenamingOntoAnotherNameOfTheFileDoesNothing) {
  Twice("a", "b", "content");
  ASSERT_EQ(Move("a", "b"), kNoError);
  ASSERT_EQ(Move("a", "b", RenameMode::kExchange), kNoError);
  EXPECT_EQ(Move("a", "b", RenameMode::kNoReplace), ErrorCode::kExists);
  EXPECT_EQ(List(), (Names{"a", "b"}));
  EXPECT_EQ(Links("a"), 2u);
}

TEST_F(HardLinks, AReplacedNameIsOneLinkLess) {
  Twice("a", "b", "linked");
  ForgetAll(File("c", "new"));
  ASSERT_EQ(Move("c", "a"), kNoError);
  EXPECT_EQ(ReadName("a"), "new");
  EXPECT_EQ(ReadName("b"), "linked");
  EXPECT_EQ(Links("b"), 1u);
}

TEST_F(HardLinks, ANameReplacesAnotherFile) {
  const size_t entries = EntriesInStore();
  Twice("a", "b", "linked");
  ForgetAll(File("c", "old"));
  ASSERT_EQ(Move("a", "c"), kNoError);
  EXPECT_EQ(ReadName("c"), "linked");
  EXPECT_EQ(Links("c"), 2u);
  EXPECT_EQ(EntriesInStore(), entries + 3);
}

TEST_F(HardLinks, NamesAreExchanged) {
  const InodeInfo linked = Twice("a", "b", "linked");
  const InodeInfo plain = File("c", "plain");
  ASSERT_EQ(Move("a", "c", RenameMode::kExchange), kNoError);
  EXPECT_EQ(Find("c").number, linked.number);
  EXPECT_EQ(Find("a").number, plain.number);
  EXPECT_EQ(Read(plain.number), "plain");
  ASSERT_EQ(Move("a", "b", RenameMode::kExchange), kNoError);
  Write(plain.number, 0, "P");
  EXPECT_EQ(ReadName("b"), "Plain");
  EXPECT_EQ(ReadName("a"), "linked");
}

TEST_F(HardLinks, AnUnnamedFileGetsItsFirstName) {
  const auto file = fs().CreateUnnamedFile(kRootInode, 0600, kUser);
  ASSERT_TRUE(file);
  Write(file->number, 0, "content");
  ASSERT_EQ(Link(*file, "a"), kNoError);
  EXPECT_EQ(Links("a"), 1u);
  ASSERT_EQ(Link(*file, "b"), kNoError);
  EXPECT_EQ(Links("a"), 2u);
  CrashAndReopen();
  EXPECT_EQ(ReadName("b"), "content");
}

TEST_F(HardLinks, AnUnnamedFileReplacesNoName) {
  const auto file = fs().CreateUnnamedFile(kRootInode, 0600, kUser);
  File("a", "old");
  EXPECT_EQ(Link(*file, "a"), ErrorCode::kExists);
  EXPECT_EQ(ReadName("a"), "old");
  EXPECT_EQ(Stat(file->number).attributes.links, 0u);
}

TEST_F(HardLinks, ANameWithoutItsFileIsDamage) {
  const InodeInfo file = Twice("a", "b", "content");
  const std::string shared = SharedName(file.number);
  Batch batch;
  batch.Erase({kSharedDirectory, shared});
  ASSERT_TRUE(store().Apply(batch));
  EXPECT_EQ(CodeOf(fs().Lookup(kRootInode, "a")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, "a")), ErrorCode::kCorrupt);
  EXPECT_EQ(List(), (Names{"a", "b"}));
}

TEST_F(HardLinks, ANameThatLeadsToSomethingElseIsDamage) {
  const auto expect_damage = [&](Key key, const std::string& meta) {
    Batch batch;
    batch.Put(key, {}, meta);
    batch.Put({kRootDirectory, "x"}, {}, "\2\0\0\x80\x15\xcd\x5b\x07\0\0\0\0"sv);
    ASSERT_TRUE(store().Apply(batch));
    EXPECT_EQ(CodeOf(fs().Lookup(kRootInode, "x")), ErrorCode::kCorrupt);
  };
  Attributes directory;
  directory.mode = S_IFDIR | 0755;
  directory.links = 2;
  expect_damage({kSharedDirectory, "123456789"}, EncodeAttributes(directory));
  expect_damage({kSharedDirectory, "123456789"}, EncodeHardLink({123456789, S_IFREG}));
  Attributes file;
  file.mode = S_IFREG | 0644;
  expect_damage({kSharedDirectory, "123456789"}, EncodeAttributes(file));  // with a different id
}

TEST(HardLinkMeta, IsAsDocumented) {
  const std::string meta = EncodeHardLink({0x0102030405060708, S_IFLNK});
  EXPECT_EQ(meta, std::string("\x02\x00\x00\xa0\x08\x07\x06\x05\x04\x03\x02\x01", 12));
  EXPECT_EQ(*DecodeHardLink(meta), (HardLink{0x0102030405060708, S_IFLNK}));
}

TEST(HardLinkMeta, RefusesEveryOtherBytes) {
  const std::string meta = EncodeHardLink({4711, S_IFREG});
  for (size_t length = 0; length < meta.size(); ++length) {
    EXPECT_FALSE(DecodeHardLink(meta.substr(0, length)));
  }
  EXPECT_FALSE(DecodeHardLink(meta + '\0'));
  EXPECT_FALSE(DecodeHardLink(EncodeHardLink({4711, S_IFDIR})));
  EXPECT_FALSE(DecodeHardLink(EncodeHardLink({4711, S_IFREG | 0644})));
  EXPECT_FALSE(DecodeHardLink(EncodeHardLink({kFirstId - 1, S_IFREG})));
  std::string other_version = meta, other_padding = meta;
  other_version[0] = 3;
  other_padding[1] = 1;
  EXPECT_FALSE(DecodeHardLink(other_version));
  EXPECT_FALSE(DecodeHardLink(other_padding));
}

}  // namespace
}  // namespace kvfs::fs
