// Batches of changes by path, all or none: each change sees the previous ones, hard links to a file
// change together, and changes are reported.
#include <sys/stat.h>

#include <algorithm>

#include "fs/path_operation.h"
#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

using Kind = PathOperation::Kind;

PathOperation Change(Kind kind, std::string path, std::string data = {}) {
  PathOperation change;
  change.kind = kind;
  change.path = std::move(path);
  change.data = std::move(data);
  return change;
}
PathOperation Move(std::string path, std::string to) {
  PathOperation change = Change(Kind::kMove, std::move(path));
  change.to = std::move(to);
  return change;
}
PathOperation Expect(std::string path, uint64_t version) {
  PathOperation change = Change(Kind::kExpect, std::move(path));
  change.version = version;
  return change;
}

PathOperation Link(std::string path, std::string to) {
  PathOperation change = Change(Kind::kLink, std::move(path));
  change.to = std::move(to);
  return change;
}
PathOperation WithXattrs(PathOperation change, XattrMap xattrs) {
  change.xattrs = std::move(xattrs);
  return change;
}

class PathOperations : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> Apply(const std::vector<PathOperation>& changes) {
    auto changed = fs().ApplyChanges(changes, kUser, &failed_);
    if (!changed) return changed.error().code;
    changed_ = *std::move(changed);
    return {};
  }
  // A file with two names and no references.
  InodeInfo Twice(std::string_view one, std::string_view other, std::string_view content) {
    const InodeInfo file = File(one, content);
    EXPECT_TRUE(fs().Link(file.number, kRootInode, other));
    ForgetAll(file);
    return file;
  }
  InodeInfo Look(std::string_view name, InodeNumber parent = kRootInode) {
    const InodeInfo inode = Find(name, parent);
    fs().Forget(inode.number, 1);
    return inode;
  }
  bool WasTold(std::string_view name) const {
    return std::ranges::any_of(changed_, [&](const ChangedName& it) { return it.name == name; });
  }

  size_t failed_ = 0;
  std::vector<ChangedName> changed_;
};

constexpr std::optional<ErrorCode> kNoError;
using Names = std::vector<std::string>;

TEST_F(PathOperations, EachSeesThoseBeforeIt) {
  ASSERT_EQ(Apply({Change(Kind::kPut, "a", "1"), Change(Kind::kAppend, "a", "2"), Move("a", "b"),
                   Change(Kind::kAppend, "b", "3"), Change(Kind::kPut, "c", "4"),
                   Change(Kind::kDelete, "c")}),
            kNoError);
  EXPECT_EQ(List(), Names{"b"});
  EXPECT_EQ(ReadName("b"), "123");
  EXPECT_EQ(Look("b").attributes.uid, kUser.uid);
  EXPECT_TRUE(WasTold("b"));
}

TEST_F(PathOperations, OneThatIsRefusedRefusesAll) {
  File("a", "old");
  EXPECT_EQ(Apply({Change(Kind::kPut, "a", "new"), Change(Kind::kDelete, "absent")}),
            ErrorCode::kNotFound);
  EXPECT_EQ(failed_, 1u);
  EXPECT_EQ(ReadName("a"), "old");
}

TEST_F(PathOperations, ExpectationsAreDecidedWithTheChanges) {
  File("a", "old");
  const uint64_t version = Look("a").version;
  EXPECT_EQ(Apply({Expect("a", version), Change(Kind::kPut, "a", "new")}), kNoError);
  EXPECT_EQ(Apply({Expect("a", version), Change(Kind::kPut, "a", "newer")}), ErrorCode::kConflict);
  EXPECT_EQ(Apply({Expect("a", PathOperation::kAbsent)}), ErrorCode::kConflict);
  EXPECT_EQ(Apply({Expect("b", PathOperation::kAbsent), Change(Kind::kPut, "b", "1")}), kNoError);
  EXPECT_EQ(ReadName("a"), "new");
}

TEST_F(PathOperations, AStrangersChangeClearsSetgidWhateverTheGroupMayDo) {
  for (const Kind kind : {Kind::kPut, Kind::kAppend}) {
    const InodeInfo file = File("f");
    ASSERT_TRUE(fs().SetAttributes(file.number, {.permissions = 06666, .gid = 77}, kRoot));
    ASSERT_TRUE(fs().SetAttributes(file.number, {.permissions = 06666}, kRoot));
    ASSERT_EQ(Apply({Change(kind, "f", "new")}), kNoError);
    EXPECT_EQ(Look("f").attributes.mode, S_IFREG | 0666u);
    ASSERT_EQ(Apply({Change(Kind::kDelete, "f")}), kNoError);
  }
}

TEST_F(PathOperations, DirectoriesCountTheirSubdirectories) {
  ASSERT_EQ(Apply({Change(Kind::kMakeDirectory, "d")}), kNoError);
  ASSERT_EQ(Apply({Change(Kind::kMakeDirectory, "d/e"), Change(Kind::kPut, "d/f", "1")}), kNoError);
  EXPECT_EQ(Look("d").attributes.links, 3u);
  EXPECT_EQ(Apply({Change(Kind::kRemoveDirectory, "d")}), ErrorCode::kNotEmpty);
  EXPECT_EQ(Apply({Change(Kind::kDelete, "d/f"), Change(Kind::kRemoveDirectory, "d/e"),
                   Change(Kind::kRemoveDirectory, "d")}),
            kNoError);
  EXPECT_FALSE(Exists("d"));
}

TEST_F(PathOperations, ByOneNameAreSeenByAll) {
  const InodeInfo file = Twice("a", "b", "1");
  ASSERT_EQ(Apply({Change(Kind::kAppend, "a", "2"), Change(Kind::kAppend, "b", "3")}), kNoError);
  EXPECT_EQ(ReadName("a"), "123");
  ASSERT_EQ(Apply({Change(Kind::kPut, "b", "new")}), kNoError);
  EXPECT_EQ(ReadName("a"), "new");
  EXPECT_EQ(Look("a").number, file.number);
  EXPECT_EQ(Look("a").attributes.links, 2u);
}

TEST_F(PathOperations, AttributesOfAFileWithSeveralNamesKeepTheirCount) {
  Twice("a", "b", "1");
  PathOperation put = Change(Kind::kPut, "a", "2");
  put.attributes.emplace();
  put.attributes->mode = S_IFREG | 0600;
  put.attributes->links = 7;
  ASSERT_EQ(Apply({put}), kNoError);
  EXPECT_EQ(Look("b").attributes.links, 2u);
  EXPECT_EQ(Look("b").attributes.mode, uint32_t{S_IFREG | 0600});
}

TEST_F(PathOperations, TheLastNameTakesTheFileAlong) {
  const size_t before = EntriesInStore();
  Twice("a", "b", "1");
  ASSERT_EQ(Apply({Change(Kind::kDelete, "a")}), kNoError);
  EXPECT_EQ(ReadName("b"), "1");
  EXPECT_EQ(Look("b").attributes.links, 1u);
  ASSERT_EQ(Apply({Change(Kind::kDelete, "b")}), kNoError);
  EXPECT_EQ(EntriesInStore(), before);
  Twice("a", "b", "1");
  ASSERT_EQ(Apply({Change(Kind::kDelete, "a"), Change(Kind::kDelete, "b")}), kNoError);
  EXPECT_EQ(EntriesInStore(), before);
}

TEST_F(PathOperations, AnUnlinkedFileThatIsOpenLivesOn) {
  const InodeInfo file = File("a", "1");
  ASSERT_EQ(Apply({Change(Kind::kDelete, "a"), Change(Kind::kPut, "a", "2")}), kNoError);
  EXPECT_EQ(Read(file.number), "1");
  EXPECT_EQ(ReadName("a"), "2");
}

TEST_F(PathOperations, MovesOfNamesOfOneFile) {
  const InodeInfo file = Twice("a", "b", "1");
  ASSERT_EQ(Apply({Move("a", "b")}), kNoError);
  EXPECT_EQ(List(), (Names{"a", "b"})) << "two names of one file both stay";
  File("c", "replaced");
  ASSERT_EQ(Apply({Move("a", "c"), Change(Kind::kAppend, "c", "2")}), kNoError);
  EXPECT_EQ(List(), (Names{"b", "c"}));
  EXPECT_EQ(ReadName("b"), "12");
  EXPECT_EQ(Look("c").number, file.number);
}

TEST_F(PathOperations, ADirectoryCanBeFilledByTheBatchThatMakesIt) {
  ASSERT_EQ(Apply({Change(Kind::kMakeDirectory, "d"), Change(Kind::kMakeDirectory, "d/e"),
                   Change(Kind::kPut, "d/e/f", "1"), Move("d", "moved"),
                   Change(Kind::kAppend, "moved/e/f", "2"), Change(Kind::kMakeDirectory, "gone"),
                   Change(Kind::kPut, "gone/x"), Change(Kind::kDelete, "gone/x"),
                   Change(Kind::kRemoveDirectory, "gone")}),
            kNoError);
  EXPECT_EQ(List(), Names{"moved"});
  const InodeInfo moved = Find("moved");
  EXPECT_EQ(moved.attributes.links, 3u);
  const InodeInfo e = Find("e", moved.number);
  EXPECT_EQ(Look("f", e.number).size_bytes, 2u);
  EXPECT_EQ(Apply({Change(Kind::kMakeDirectory, "n"), Change(Kind::kPut, "n/x"),
                   Change(Kind::kRemoveDirectory, "n")}),
            ErrorCode::kNotEmpty);
  EXPECT_FALSE(Exists("n"));
}

TEST_F(PathOperations, AFileGetsFurtherNames) {
  File("old", "1");
  ASSERT_EQ(Apply({Link("old", "older"), Change(Kind::kPut, "new", "2"), Link("new", "newer"),
                   Link("newer", "newest"), Change(Kind::kAppend, "newest", "!")}),
            kNoError);
  EXPECT_EQ(Look("old").number, Look("older").number);
  EXPECT_EQ(Look("older").attributes.links, 2u);
  EXPECT_EQ(ReadName("new"), "2!");
  EXPECT_EQ(Look("newest").attributes.links, 3u);
  EXPECT_EQ(Look("new").number, Look("newest").number);
  ASSERT_EQ(Apply({Change(Kind::kDelete, "new"), Change(Kind::kDelete, "newer")}), kNoError);
  EXPECT_EQ(ReadName("newest"), "2!");
}

TEST_F(PathOperations, AFurtherNameTakesTheNameOfAnother) {
  File("a", "1");
  File("b", "2");
  ASSERT_EQ(Apply({Link("a", "b"), Link("a", "b")}), kNoError);
  EXPECT_EQ(ReadName("b"), "1");
  EXPECT_EQ(Look("a").attributes.links, 2u);
  ASSERT_EQ(Apply({Change(Kind::kMakeDirectory, "d")}), kNoError);
  EXPECT_EQ(Apply({Link("d", "e")}), ErrorCode::kIsDirectory);
  EXPECT_EQ(Apply({Link("a", "d")}), ErrorCode::kIsDirectory);
  EXPECT_EQ(Apply({Link("absent", "e")}), ErrorCode::kNotFound);
}

TEST_F(PathOperations, ExtendedAttributesComeAndGoWithTheChange) {
  ASSERT_EQ(Apply({WithXattrs(Change(Kind::kPut, "a", "1"), {{"user.x", "1"}, {"user.y", ""}}),
                   WithXattrs(Change(Kind::kMakeDirectory, "d"), {{"user.d", "2"}})}),
            kNoError);
  const InodeInfo a = Find("a");
  EXPECT_EQ(*fs().GetXattr(a.number, "user.x"), "1");
  EXPECT_EQ(fs().ListXattrs(a.number)->size(), 2u);
  EXPECT_EQ(*fs().GetXattr(Find("d").number, "user.d"), "2");
  ASSERT_EQ(Apply({WithXattrs(Change(Kind::kPut, "a", "2"), {{"user.z", "3"}})}), kNoError);
  EXPECT_EQ(*fs().ListXattrs(a.number), Names{"user.z"});
  ASSERT_EQ(Apply({Change(Kind::kPut, "a", "3")}), kNoError);
  EXPECT_EQ(*fs().ListXattrs(a.number), Names{"user.z"});
  ASSERT_EQ(Apply({WithXattrs(Change(Kind::kPut, "a", "3"), {})}), kNoError);
  EXPECT_EQ(*fs().ListXattrs(a.number), Names{});
  EXPECT_EQ(Apply({WithXattrs(Change(Kind::kPut, "a"), {{"odd.x", ""}})}), ErrorCode::kUnsupported);
}

TEST_F(PathOperations, ExtendedAttributesOfWhatGoesInTheSameBatchGoToo) {
  ASSERT_EQ(Apply({WithXattrs(Change(Kind::kPut, "a", "1"), {{"user.x", "1"}}),
                   Change(Kind::kDelete, "a"),
                   WithXattrs(Change(Kind::kPut, "b", "1"), {{"user.x", "1"}}), Link("b", "c"),
                   Change(Kind::kDelete, "b"), Change(Kind::kDelete, "c")}),
            kNoError);
  EXPECT_EQ(List(), Names{});
  EXPECT_FALSE(*fs().HasXattrs());
}

TEST_F(PathOperations, BlocksOfZerosBecomeHolesWhereThatIsAskedFor) {
  const std::string data =
      std::string(4096, 'a') + std::string(200'000, '\0') + std::string(10, 'b');
  PathOperation sparse = Change(Kind::kPut, "sparse", data);
  sparse.is_sparse = true;
  PathOperation zeros = Change(Kind::kPut, "zeros", std::string(98'304, '\0'));
  zeros.is_sparse = true;
  ASSERT_EQ(Apply({sparse, zeros, Change(Kind::kPut, "dense", data)}), kNoError);
  EXPECT_EQ(ReadName("sparse"), data);
  EXPECT_LE(Look("sparse").allocated_bytes, 12'288u);
  EXPECT_EQ(Look("zeros").size_bytes, 98'304u);
  EXPECT_EQ(Look("zeros").allocated_bytes, 0u);
  EXPECT_GE(Look("dense").allocated_bytes, 200'000u);
  ASSERT_EQ(Apply({Change(Kind::kPut, "sparse", data), sparse}), kNoError);
  EXPECT_LE(Look("sparse").allocated_bytes, 12'288u);
}

TEST_F(PathOperations, DirectoriesAreNotMovedIntoThemselves) {
  ASSERT_EQ(Apply({Change(Kind::kMakeDirectory, "d")}), kNoError);
  ASSERT_EQ(Apply({Change(Kind::kMakeDirectory, "d/e")}), kNoError);
  EXPECT_EQ(Apply({Move("d", "d/e/f")}), ErrorCode::kInvalid);
  EXPECT_EQ(Apply({Move("d/e", "e")}), kNoError);
  EXPECT_EQ(List(), (Names{"d", "e"}));
}

}  // namespace
}  // namespace kvfs::fs
