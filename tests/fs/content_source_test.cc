// Contents that arrive in pieces: of any size, they replace a file's content in one step, and the
// file keeps its identity.
#include "fs/content_source.h"

#include <sys/stat.h>

#include <algorithm>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kLarge = 20'000'000;

class ContentPieces : public FileSystemFixture {
 protected:
  static PathOperation Put(std::string path) {
    PathOperation change;
    change.path = std::move(path);
    return change;
  }
  // A content of `bytes` bytes 'x', after a hole. `between` is called once, in the middle.
  static ContentSource Source(uint64_t hole, uint64_t bytes, std::function<void()> between = {}) {
    return [=, left = bytes,
            has_hole = hole > 0](MutableBytes buffer) mutable -> Result<ContentPiece> {
      if (between && left < bytes / 2) std::exchange(between, {})();
      const size_t count = std::min<uint64_t>(left, buffer.size());
      std::fill_n(buffer.begin(), count, std::byte{'x'});
      left -= count;
      return ContentPiece{std::exchange(has_hole, false) ? hole : 0, count};
    };
  }
  std::optional<ErrorCode> Apply(std::vector<PathOperation> changes, const ContentSource& source) {
    return CodeOf(ApplyWithContent(fs(), std::move(changes), source, kUser));
  }
  InodeInfo Look(std::string_view name) {
    const InodeInfo inode = Find(name);
    fs().Forget(inode.number, 1);
    return inode;
  }
  size_t EntriesInTransientSpace() {
    size_t entries = 0;
    EXPECT_TRUE(
        store().List(kTransientDirectory, 0, [&](const ListedEntry&) { return ++entries > 0; }));
    return entries;
  }
};

constexpr std::optional<ErrorCode> kNoError;

TEST_F(ContentPieces, ANewFileOfAnySize) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{5}, uint64_t{8} << 20, kLarge}) {
    const std::string name = "f" + std::to_string(size);
    ASSERT_EQ(Apply({Put(name)}, Source(0, size)), kNoError);
    EXPECT_EQ(Look(name).size_bytes, size);
    EXPECT_EQ(Look(name).attributes.mode, S_IFREG | 0666u);
    EXPECT_EQ(Look(name).attributes.links, 1u);
    EXPECT_TRUE(ReadName(name) == std::string(size, 'x'));
  }
}

TEST_F(ContentPieces, AFileThatIsThereKeepsItsNumberNamesAndAttributes) {
  const InodeInfo file = File("a", "old");
  ASSERT_TRUE(fs().Link(file.number, kRootInode, "b"));
  ASSERT_TRUE(fs().SetXattr(file.number, "user.x", "1", XattrMode::kAny, kUser));
  for (const uint64_t size : {kLarge, uint64_t{3}, kLarge + 1}) {
    ASSERT_EQ(Apply({Put("a")}, Source(0, size)), kNoError);
    EXPECT_EQ(Look("b").number, file.number);
    EXPECT_EQ(Look("b").size_bytes, size);
    EXPECT_EQ(Look("b").attributes.links, 2u);
    EXPECT_EQ(*fs().GetXattr(file.number, "user.x"), "1");
  }
}

TEST_F(ContentPieces, AHoleTakesNoSpace) {
  ASSERT_EQ(Apply({Put("a")}, Source(uint64_t{1} << 40, 5)), kNoError);
  EXPECT_EQ(Look("a").size_bytes, (uint64_t{1} << 40) + 5);
  EXPECT_LE(Look("a").allocated_bytes, 8192u);
}

TEST_F(ContentPieces, AnErrorOfTheSourceChangesNothing) {
  File("a", "old");
  int pieces = 0;
  EXPECT_EQ(Apply({Put("a")},
                  [&](MutableBytes buffer) -> Result<ContentPiece> {
                    if (++pieces > 15) return Fail(ErrorCode::kIo);
                    return ContentPiece{0, buffer.size()};
                  }),
            ErrorCode::kIo);
  EXPECT_EQ(ReadName("a"), "old");
}

TEST_F(ContentPieces, ReplaceRegularFilesOnly) {
  Directory("d");
  ASSERT_TRUE(fs().MakeSymbolicLink(kRootInode, "l", "x", kRoot));
  for (const uint64_t size : {uint64_t{3}, kLarge}) {
    EXPECT_EQ(Apply({Put("d")}, Source(0, size)), ErrorCode::kIsDirectory);
    EXPECT_EQ(Apply({Put("l")}, Source(0, size)), ErrorCode::kInvalid);
  }
  EXPECT_EQ(EntriesInTransientSpace(), 0u);
}

TEST_F(ContentPieces, AConditionThatDoesNotHoldChangesNothing) {
  File("a", "old");
  PathOperation absent = Put("a");
  absent.kind = PathOperation::Kind::kExpect;
  EXPECT_EQ(Apply({absent, Put("a")}, Source(0, kLarge)), ErrorCode::kConflict);
  EXPECT_EQ(ReadName("a"), "old");
}

TEST_F(ContentPieces, AnotherFileThatTakesTheNameMeanwhileGetsTheContent) {
  File("a", "old");
  // Of eight files, some are in other shards than their contents' first shard.
  for (int i = 0; i < 8; ++i) {
    const InodeInfo other = File("other" + std::to_string(i), "new");
    const auto replace = [&] {
      ASSERT_TRUE(fs().Rename(kRootInode, "other" + std::to_string(i), kRootInode, "a",
                              RenameMode::kReplace));
    };
    ASSERT_EQ(Apply({Put("a")}, Source(0, kLarge, replace)), kNoError);
    EXPECT_EQ(Look("a").number, other.number);
    EXPECT_EQ(Look("a").size_bytes, kLarge);
  }
}

TEST_F(ContentPieces, NothingStaysBehind) {
  ASSERT_EQ(Apply({Put("a")}, Source(0, kLarge)), kNoError);
  ASSERT_EQ(Apply({Put("a")}, Source(0, kLarge)), kNoError);
  EXPECT_EQ(EntriesInTransientSpace(), 0u);
}

}  // namespace
}  // namespace kvfs::fs
