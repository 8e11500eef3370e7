// Renaming: within and across directories and shards, replacing, exchanging.
#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class Rename : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> Move(std::string_view from, std::string_view to,
                                RenameMode mode = RenameMode::kReplace) {
    return CodeOf(fs().Rename(kRootInode, from, kRootInode, to, mode));
  }
  std::optional<ErrorCode> MoveInto(const InodeInfo& directory, std::string_view name) {
    return CodeOf(fs().Rename(kRootInode, name, directory.number, name, RenameMode::kReplace));
  }
};

constexpr std::optional<ErrorCode> kNoError;

TEST_F(Rename, InodeNumberAndContentStay) {
  const InodeInfo file = File("a", "content");
  ASSERT_EQ(Move("a", "b"), kNoError);
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(Find("b").number, file.number);
  EXPECT_EQ(Read(file.number), "content");
  Write(file.number, 0, "C");
  EXPECT_EQ(ReadName("b"), "Content");
}

TEST_F(Rename, InodeNumberStaysAcrossReopening) {
  const InodeInfo file = File("a", "content");
  const InodeInfo directory = Directory("d");
  ASSERT_EQ(MoveInto(directory, "a"), kNoError);
  Reopen();
  EXPECT_EQ(Find("d").number, directory.number);
  EXPECT_EQ(Find("a", directory.number).number, file.number);
}

TEST_F(Rename, InodeNumbersAreNotUsedAgainAfterReopening) {
  const InodeInfo old_file = File("a");
  ASSERT_TRUE(fs().Unlink(kRootInode, "a"));
  Reopen();
  EXPECT_NE(File("a").number, old_file.number);
}

TEST_F(Rename, ReplacesWhatHasTheName) {
  const size_t entries = EntriesInStore();
  ForgetAll(File("a", "new"));
  ForgetAll(File("b", "old"));
  ASSERT_EQ(Move("a", "b"), kNoError);
  EXPECT_EQ(ReadName("b"), "new");
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(EntriesInStore(), entries + 1);
}

TEST_F(Rename, ReplacedFileStaysUsableWhileReferenced) {
  const InodeInfo replaced = File("b", "old");
  File("a", "new");
  ASSERT_EQ(Move("a", "b"), kNoError);
  EXPECT_EQ(Read(replaced.number), "old");
  EXPECT_EQ(Stat(replaced.number).attributes.links, 0u);
  EXPECT_EQ(ReadName("b"), "new");
  ForgetAll(replaced);
  EXPECT_EQ(ReadName("b"), "new");
}

TEST_F(Rename, WorksBetweenAllShards) {
  for (int i = 0; i < 64; ++i) File("from" + std::to_string(i), std::to_string(i));
  for (int i = 0; i < 64; ++i) {
    File("to" + std::to_string(i), "old");
    ASSERT_EQ(Move("from" + std::to_string(i), "to" + std::to_string(i)), kNoError);
  }
  Reopen();
  for (int i = 0; i < 64; ++i) EXPECT_EQ(ReadName("to" + std::to_string(i)), std::to_string(i));
  EXPECT_EQ(List().size(), 64u);
}

TEST_F(Rename, OntoItselfChangesNothing) {
  const InodeInfo file = File("a", "content");
  EXPECT_EQ(Move("a", "a"), kNoError);
  EXPECT_EQ(Find("a").number, file.number);
  EXPECT_EQ(Move("no", "no"), ErrorCode::kNotFound);
}

TEST_F(Rename, OfAnAbsentNameIsNotFound) {
  File("b");
  EXPECT_EQ(Move("a", "b"), ErrorCode::kNotFound);
  EXPECT_TRUE(Exists("b"));
}

TEST_F(Rename, TouchesTheFileAndBothDirectories) {
  const InodeInfo file = File("a");
  const InodeInfo directory = Directory("d");
  const Timespec before = now();
  PassSeconds(5);
  ASSERT_EQ(MoveInto(directory, "a"), kNoError);
  EXPECT_EQ(Stat(file.number).attributes.ctime, now());
  EXPECT_EQ(Stat(file.number).attributes.mtime, before);
  EXPECT_EQ(Stat(kRootInode).attributes.mtime, now());
  EXPECT_EQ(Stat(directory.number).attributes.mtime, now());
}

TEST_F(Rename, AMovedDirectoryKeepsWhatIsInIt) {
  const InodeInfo a = Directory("a");
  const InodeInfo b = Directory("b");
  const InodeInfo file = File("f", "deep", a.number);
  ASSERT_EQ(MoveInto(b, "a"), kNoError);
  EXPECT_EQ(Find("f", Find("a", b.number).number).number, file.number);
  EXPECT_EQ(Read(file.number), "deep");
}

TEST_F(Rename, SubdirectoriesAreCountedWhereTheyAre) {
  const InodeInfo a = Directory("a");
  const InodeInfo b = Directory("b");
  ASSERT_EQ(MoveInto(b, "a"), kNoError);
  EXPECT_EQ(Stat(kRootInode).attributes.links, 3u);
  EXPECT_EQ(Stat(b.number).attributes.links, 3u);
  EXPECT_EQ(Stat(a.number).attributes.links, 2u);
}

TEST_F(Rename, ReplacesAnEmptyDirectoryByADirectory) {
  const InodeInfo a = Directory("a");
  const InodeInfo b = Directory("b");
  ASSERT_EQ(Move("a", "b"), kNoError);
  EXPECT_EQ(Find("b").number, a.number);
  EXPECT_EQ(Stat(kRootInode).attributes.links, 3u);
  EXPECT_EQ(Stat(b.number).attributes.links, 0u);
}

TEST_F(Rename, ReplacesOnlyItsOwnKind) {
  const InodeInfo full = Directory("full");
  File("x", "", full.number);
  Directory("empty");
  File("file", "content");
  EXPECT_EQ(Move("empty", "full"), ErrorCode::kNotEmpty);
  EXPECT_EQ(Move("file", "empty"), ErrorCode::kIsDirectory);
  EXPECT_EQ(Move("empty", "file"), ErrorCode::kNotDirectory);
  EXPECT_EQ(ReadName("file"), "content");
}

TEST_F(Rename, NoReplaceLeavesWhatHasTheName) {
  File("a", "new");
  File("b", "old");
  EXPECT_EQ(Move("a", "b", RenameMode::kNoReplace), ErrorCode::kExists);
  EXPECT_EQ(ReadName("b"), "old");
  EXPECT_EQ(Move("a", "c", RenameMode::kNoReplace), kNoError);
  EXPECT_EQ(ReadName("c"), "new");
}

TEST_F(Rename, ExchangeSwapsNames) {
  const InodeInfo a = File("a", "first");
  const InodeInfo b = File("b", "second");
  ASSERT_EQ(Move("a", "b", RenameMode::kExchange), kNoError);
  EXPECT_EQ(ReadName("a"), "second");
  EXPECT_EQ(ReadName("b"), "first");
  Write(a.number, 0, "F");
  EXPECT_EQ(ReadName("b"), "First");
  EXPECT_EQ(Find("a").number, b.number);
}

TEST_F(Rename, ExchangeSwapsAFileAndAFullDirectory) {
  const InodeInfo sub = Directory("sub");
  const InodeInfo inner = Directory("x", sub.number);
  File("y", "deep", inner.number);
  File("x", "file");
  ASSERT_EQ(CodeOf(fs().Rename(kRootInode, "x", sub.number, "x", RenameMode::kExchange)), kNoError);
  EXPECT_EQ(ReadName("x", sub.number), "file");
  EXPECT_EQ(ReadName("y", Find("x").number), "deep");
  EXPECT_EQ(Stat(kRootInode).attributes.links, 4u);
  EXPECT_EQ(Stat(sub.number).attributes.links, 2u);
}

TEST_F(Rename, ExchangeNeedsBothNames) {
  File("a");
  EXPECT_EQ(Move("a", "b", RenameMode::kExchange), ErrorCode::kNotFound);
  EXPECT_EQ(Move("b", "a", RenameMode::kExchange), ErrorCode::kNotFound);
}

TEST_F(Rename, IsWholeAfterACrash) {
  File("a", "new");
  File("b", "old");
  ASSERT_EQ(Move("a", "b"), kNoError);
  CrashAndReopen();
  EXPECT_EQ(ReadName("b"), "new");
  EXPECT_FALSE(Exists("a"));
}

}  // namespace
}  // namespace kvfs::fs
