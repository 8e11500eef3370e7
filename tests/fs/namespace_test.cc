// Creation and removal of names, and the life of an inode without a name.
#include <sys/stat.h>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class Namespace : public FileSystemFixture {};

using Names = std::vector<std::string>;

TEST_F(Namespace, ANewFileSystemHasAnEmptyRootOfTheDefaultOwner) {
  const InodeInfo root = Stat(kRootInode);
  EXPECT_EQ(root.number, kRootInode);
  EXPECT_EQ(root.attributes.mode, S_IFDIR | 0755u);
  EXPECT_EQ(root.attributes.links, 2u);
  EXPECT_EQ(root.attributes.uid, kUser.uid);
  EXPECT_EQ(List(), Names{});
}

TEST_F(Namespace, ACreatedFileIsFoundUnderItsName) {
  const InodeInfo file = File("foo", "bar");
  const InodeInfo found = Find("foo");
  EXPECT_EQ(found.number, file.number);
  EXPECT_EQ(found.attributes.mode, S_IFREG | 0644u);
  EXPECT_EQ(found.size_bytes, 3u);
  EXPECT_EQ(found.attributes.links, 1u);
}

TEST_F(Namespace, AFileBelongsToItsCreatorAndIsAsOldAsNow) {
  const auto file = fs().CreateFile(kRootInode, "foo", S_IFREG | 04755, 0, kUser);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->attributes.uid, kUser.uid);
  EXPECT_EQ(file->attributes.gid, kUser.gid);
  EXPECT_EQ(file->attributes.mode, S_IFREG | 04755u);
  EXPECT_EQ(file->attributes.atime, now());
  EXPECT_EQ(file->attributes.mtime, now());
  EXPECT_EQ(file->attributes.ctime, now());
}

TEST_F(Namespace, ANameIsCreatedOnce) {
  File("foo", "bar");
  EXPECT_EQ(CodeOf(fs().CreateFile(kRootInode, "foo", S_IFREG, 0, kRoot)), ErrorCode::kExists);
  EXPECT_EQ(CodeOf(fs().MakeDirectory(kRootInode, "foo", 0755, kRoot)), ErrorCode::kExists);
  EXPECT_EQ(CodeOf(fs().MakeSymbolicLink(kRootInode, "foo", "x", kRoot)), ErrorCode::kExists);
  EXPECT_EQ(ReadName("foo"), "bar");
}

TEST_F(Namespace, DevicesAndPipesKeepWhatTheyAre) {
  ASSERT_TRUE(fs().CreateFile(kRootInode, "null", S_IFCHR | 0666, 0x103, kRoot));
  ASSERT_TRUE(fs().CreateFile(kRootInode, "pipe", S_IFIFO | 0600, 0x103, kRoot));
  Reopen();
  EXPECT_EQ(Find("null").attributes.mode, S_IFCHR | 0666u);
  EXPECT_EQ(Find("null").attributes.device, 0x103u);
  EXPECT_EQ(Find("pipe").attributes.mode, S_IFIFO | 0600u);
  EXPECT_EQ(Find("pipe").attributes.device, 0u);
}

TEST_F(Namespace, CreateFileMakesNoDirectoriesAndNoLinks) {
  EXPECT_EQ(CodeOf(fs().CreateFile(kRootInode, "d", S_IFDIR | 0755, 0, kRoot)),
            ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(fs().CreateFile(kRootInode, "l", S_IFLNK | 0777, 0, kRoot)),
            ErrorCode::kInvalid);
}

TEST_F(Namespace, SymbolicLinkKeepsItsTarget) {
  ASSERT_TRUE(fs().MakeSymbolicLink(kRootInode, "link", "some/where", kUser));
  Reopen();
  const InodeInfo link = Find("link");
  EXPECT_EQ(link.attributes.mode, S_IFLNK | 0777u);
  EXPECT_EQ(link.size_bytes, 10u);
  EXPECT_EQ(*fs().ReadLink(link.number), "some/where");
}

TEST_F(Namespace, SymbolicLinkTargetsHaveLinuxsLimits) {
  const std::string longest(4095, 'x');
  const auto link = fs().MakeSymbolicLink(kRootInode, "longest", longest, kRoot);
  ASSERT_TRUE(link);
  EXPECT_EQ(*fs().ReadLink(link->number), longest);
  EXPECT_EQ(CodeOf(fs().MakeSymbolicLink(kRootInode, "l", longest + 'x', kRoot)),
            ErrorCode::kNameTooLong);
  EXPECT_EQ(CodeOf(fs().MakeSymbolicLink(kRootInode, "l", "", kRoot)), ErrorCode::kInvalid);
}

TEST_F(Namespace, ReadLinkReadsLinksOnly) {
  EXPECT_EQ(CodeOf(fs().ReadLink(File("foo", "bar").number)), ErrorCode::kInvalid);
}

TEST_F(Namespace, NamesHaveOneTo255BytesOfAnyKind) {
  const std::string longest(255, '\xff');
  File(longest, "bar");
  File("\n", "newline");
  EXPECT_EQ(ReadName(longest), "bar");
  EXPECT_EQ(ReadName("\n"), "newline");
  EXPECT_EQ(CodeOf(fs().Lookup(kRootInode, longest + 'x')), ErrorCode::kNameTooLong);
  EXPECT_EQ(CodeOf(fs().CreateFile(kRootInode, longest + 'x', S_IFREG, 0, kRoot)),
            ErrorCode::kNameTooLong);
}

TEST_F(Namespace, NamesThatMeanSomethingElseAreRefused) {
  for (const std::string_view name :
       {std::string_view(""), std::string_view("."), std::string_view(".."),
        std::string_view("a/b"), std::string_view("a\0b", 3)}) {
    EXPECT_EQ(CodeOf(fs().Lookup(kRootInode, name)), ErrorCode::kInvalid);
    EXPECT_EQ(CodeOf(fs().MakeDirectory(kRootInode, name, 0755, kRoot)), ErrorCode::kInvalid);
    EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, name)), ErrorCode::kInvalid);
    EXPECT_EQ(CodeOf(fs().Rename(kRootInode, "a", kRootInode, name, RenameMode::kReplace)),
              ErrorCode::kInvalid);
  }
}

TEST_F(Namespace, AbsentNamesAreNotFound) {
  EXPECT_EQ(CodeOf(fs().Lookup(kRootInode, "no")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, "no")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(fs().RemoveDirectory(kRootInode, "no")), ErrorCode::kNotFound);
}

TEST_F(Namespace, InodesWithoutReferencesAreStale) {
  for (const InodeNumber inode :
       {uint64_t{0}, uint64_t{2}, uint64_t{3}, uint64_t{4711}, UINT64_MAX}) {
    EXPECT_EQ(CodeOf(fs().GetAttributes(inode)), ErrorCode::kStale);
    EXPECT_EQ(CodeOf(fs().Lookup(inode, "a")), ErrorCode::kStale);
    EXPECT_EQ(CodeOf(fs().CreateFile(inode, "a", S_IFREG, 0, kRoot)), ErrorCode::kStale);
    EXPECT_EQ(CodeOf(fs().Write(inode, 0, AsBytes("a"), kRoot)), ErrorCode::kStale);
    EXPECT_EQ(CodeOf(fs().ListDirectory(inode, 0, {4096, EntryBytes})), ErrorCode::kStale);
    fs().Forget(inode, 1);
  }
}

TEST_F(Namespace, FilesHaveNoChildren) {
  const InodeInfo file = File("foo");
  EXPECT_EQ(CodeOf(fs().Lookup(file.number, "a")), ErrorCode::kNotDirectory);
  EXPECT_EQ(CodeOf(fs().CreateFile(file.number, "a", S_IFREG, 0, kRoot)), ErrorCode::kNotDirectory);
  EXPECT_EQ(CodeOf(fs().ListDirectory(file.number, 0, {4096, EntryBytes})),
            ErrorCode::kNotDirectory);
}

TEST_F(Namespace, DirectoriesNest) {
  const InodeInfo a = Directory("a");
  const InodeInfo b = Directory("b", a.number);
  File("foo", "deep", b.number);
  Reopen();
  EXPECT_EQ(ReadName("foo", Find("b", Find("a").number).number), "deep");
}

TEST_F(Namespace, LinksOfADirectoryCountItsSubdirectories) {
  const InodeInfo a = Directory("a");
  EXPECT_EQ(Stat(kRootInode).attributes.links, 3u);
  EXPECT_EQ(Stat(a.number).attributes.links, 2u);
  Directory("b", a.number);
  File("f", "", a.number);
  EXPECT_EQ(Stat(a.number).attributes.links, 3u);
  ASSERT_TRUE(fs().RemoveDirectory(a.number, "b"));
  EXPECT_EQ(Stat(a.number).attributes.links, 2u);
}

TEST_F(Namespace, CreatingAndRemovingNamesTouchesTheDirectory) {
  const InodeInfo a = Directory("a");
  const auto expect_touched = [&] {
    EXPECT_EQ(Stat(a.number).attributes.mtime, now());
    EXPECT_EQ(Stat(a.number).attributes.ctime, now());
    PassSeconds(10);
  };
  PassSeconds(10);
  File("f", "", a.number);
  expect_touched();
  ASSERT_TRUE(fs().MakeSymbolicLink(a.number, "l", "x", kRoot));
  expect_touched();
  Directory("b", a.number);
  expect_touched();
  ASSERT_TRUE(fs().Unlink(a.number, "f"));
  expect_touched();
  ASSERT_TRUE(fs().RemoveDirectory(a.number, "b"));
  expect_touched();
  Find("l", a.number);
  EXPECT_NE(Stat(a.number).attributes.mtime, now());
}

TEST_F(Namespace, SetgidDirectoriesPassOnTheirGroup) {
  ASSERT_TRUE(fs().SetAttributes(kRootInode, {.permissions = 02777, .gid = 77}, kRoot));
  ASSERT_TRUE(fs().SetAttributes(kRootInode, {.permissions = 02777}, kRoot));
  const auto file = fs().CreateFile(kRootInode, "f", S_IFREG | 0644, 0, kUser);
  const auto directory = fs().MakeDirectory(kRootInode, "d", 0755, kUser);
  ASSERT_TRUE(file && directory);
  EXPECT_EQ(file->attributes.gid, 77u);
  EXPECT_EQ(file->attributes.uid, kUser.uid);
  EXPECT_EQ(file->attributes.mode, S_IFREG | 0644u);
  EXPECT_EQ(directory->attributes.gid, 77u);
  EXPECT_EQ(directory->attributes.mode, S_IFDIR | 02755u);
}

TEST_F(Namespace, UnlinkedFileIsGoneAtOnceIfNobodyRefersToIt) {
  const size_t entries = EntriesInStore();
  ForgetAll(File("foo", "bar"));
  ASSERT_TRUE(fs().Unlink(kRootInode, "foo"));
  EXPECT_FALSE(Exists("foo"));
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(Namespace, UnlinkedFileStaysUsableWhileReferenced) {
  const InodeInfo file = File("foo", "bar");
  PassSeconds(5);
  ASSERT_TRUE(fs().Unlink(kRootInode, "foo"));
  EXPECT_FALSE(Exists("foo"));
  Write(file.number, 3, "more");
  EXPECT_EQ(Read(file.number), "barmore");
  EXPECT_EQ(Stat(file.number).attributes.links, 0u);
  EXPECT_EQ(Stat(file.number).attributes.ctime, now());
  EXPECT_TRUE(fs().SetAttributes(file.number, {.size_bytes = 1}, kRoot));
  EXPECT_EQ(Read(file.number), "b");
}

TEST_F(Namespace, UnlinkedFileGoesWithItsLastReference) {
  const size_t entries = EntriesInStore();
  const InodeInfo file = File("foo", "bar");
  Find("foo");
  ASSERT_TRUE(fs().Unlink(kRootInode, "foo"));
  fs().Forget(file.number, 1);
  EXPECT_EQ(Read(file.number), "bar");
  fs().Forget(file.number, 1);
  EXPECT_EQ(CodeOf(fs().GetAttributes(file.number)), ErrorCode::kStale);
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(Namespace, UnlinkedFileIsGoneAfterACrash) {
  const size_t entries = EntriesInStore();
  File("foo", "bar");
  ASSERT_TRUE(fs().Unlink(kRootInode, "foo"));
  CrashAndReopen();
  EXPECT_FALSE(Exists("foo"));
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(Namespace, ANameCanBeUsedAgainWhileItsOldFileLives) {
  const InodeInfo old_file = File("foo", "old");
  ASSERT_TRUE(fs().Unlink(kRootInode, "foo"));
  const InodeInfo new_file = File("foo", "new");
  EXPECT_NE(new_file.number, old_file.number);
  ForgetAll(old_file);
  EXPECT_EQ(Read(new_file.number), "new");
}

TEST_F(Namespace, UnlinkTakesNoDirectoryAndRmdirNothingElse) {
  Directory("d");
  File("f");
  EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, "d")), ErrorCode::kIsDirectory);
  EXPECT_EQ(CodeOf(fs().RemoveDirectory(kRootInode, "f")), ErrorCode::kNotDirectory);
  EXPECT_TRUE(Exists("d"));
  EXPECT_TRUE(Exists("f"));
}

TEST_F(Namespace, OnlyEmptyDirectoriesAreRemoved) {
  const InodeInfo d = Directory("d");
  File("f", "", d.number);
  EXPECT_EQ(CodeOf(fs().RemoveDirectory(kRootInode, "d")), ErrorCode::kNotEmpty);
  ASSERT_TRUE(fs().Unlink(d.number, "f"));
  EXPECT_TRUE(fs().RemoveDirectory(kRootInode, "d"));
  EXPECT_FALSE(Exists("d"));
  EXPECT_EQ(Stat(kRootInode).attributes.links, 2u);
}

TEST_F(Namespace, ARemovedDirectoryTakesNoNewNames) {
  const InodeInfo d = Directory("d");
  File("f");
  ASSERT_TRUE(fs().RemoveDirectory(kRootInode, "d"));
  EXPECT_EQ(Stat(d.number).attributes.links, 0u);
  EXPECT_EQ(CodeOf(fs().CreateFile(d.number, "a", S_IFREG, 0, kRoot)), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(fs().Rename(kRootInode, "f", d.number, "f", RenameMode::kReplace)),
            ErrorCode::kNotFound);
  EXPECT_EQ(List(d.number), Names{});
}

TEST_F(Namespace, EntriesOfTheLibraryAreFilesOfTheDefaultOwner) {
  ASSERT_TRUE(store().Put("plain", "value"));
  const InodeInfo plain = Find("plain");
  EXPECT_EQ(plain.attributes.mode, S_IFREG | 0644u);
  EXPECT_EQ(plain.attributes.uid, kUser.uid);
  EXPECT_EQ(plain.attributes.mtime, Timespec{});
  Write(plain.number, 5, "!");
  EXPECT_EQ(*store().Get("plain"), "value!");
  EXPECT_EQ(Stat(plain.number).attributes.mtime, now());
  EXPECT_EQ(Stat(plain.number).attributes.mode, S_IFREG | 0644u);
}

TEST_F(Namespace, DamagedAttributesAreReportedAndKept) {
  Batch batch;
  batch.Put({kRootDirectory, "odd"}, AsBytes("value"), "\x07nonsense");
  ASSERT_TRUE(store().Apply(batch));
  EXPECT_EQ(CodeOf(fs().Lookup(kRootInode, "odd")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, "odd")), ErrorCode::kCorrupt);
  EXPECT_EQ(store().Stat({kRootDirectory, "odd"})->meta, "\x07nonsense");
  EXPECT_EQ(List(), Names{"odd"});
}

TEST_F(Namespace, DamagedAttributesOfAReferencedFileStopChanges) {
  const InodeInfo file = File("f", "value");
  Batch batch;
  batch.EditMeta({kRootDirectory, "f"}, [](std::string& meta) { meta = "\x07nonsense"; });
  ASSERT_TRUE(store().Apply(batch));
  EXPECT_EQ(CodeOf(fs().Write(file.number, 0, AsBytes("V"), kRoot)), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(fs().SetAttributes(file.number, {.uid = 1}, kRoot)), ErrorCode::kCorrupt);
  EXPECT_EQ(*store().Get("f"), "value");
}

}  // namespace
}  // namespace kvfs::fs
