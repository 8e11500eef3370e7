// Files by path, and values put by programs without a mount.
#include "fs/path.h"

#include <sys/stat.h>

#include <algorithm>
#include <random>

#include "tests/fs/failing_store.h"
#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class Path : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> Change(PathOperation::Kind kind, std::string path,
                                  std::string value = {}) {
    PathOperation change;
    change.kind = kind;
    change.path = std::move(path);
    change.data = std::move(value);
    return CodeOf(fs().ApplyChanges(std::span(&change, 1), kUser));
  }
  std::optional<ErrorCode> Put(std::string path, std::string value) {
    return Change(PathOperation::Kind::kPut, std::move(path), std::move(value));
  }
  std::optional<ErrorCode> Delete(std::string path) {
    return Change(PathOperation::Kind::kDelete, std::move(path));
  }
  Result<std::string> Get(std::string_view path) {
    std::string value;
    KVFS_TRY(GetData(fs(), path, [&](uint64_t offset, Bytes piece) -> Result<void> {
      EXPECT_EQ(offset, value.size());
      value += AsText(piece);
      return {};
    }));
    return value;
  }
  std::vector<std::string> Names(std::string_view path) {
    std::vector<std::string> names;
    EXPECT_TRUE(ListPath(fs(), path, [&](std::string_view name, const InodeInfo&) -> Result<void> {
      names.emplace_back(name);
      return {};
    }));
    std::sort(names.begin(), names.end());
    return names;
  }
};

// For 300 nested directories, each looked up by its path: at most this many store calls.
TEST_F(Path, AWayTakesAsManyLooksAsThereAreNames) {
  constexpr uint64_t kLevels = 300;
  std::vector<PathOperation> changes;
  std::vector<std::string> paths;
  for (std::string path = "d"; paths.size() < kLevels; path += "/d") {
    paths.push_back(path);
    changes.emplace_back().kind = PathOperation::Kind::kMakeDirectory;
    changes.back().path = path;
  }
  ASSERT_TRUE(fs().ApplyChanges(changes, kUser));
  FailingStore counting(store());
  const auto looked_at = FileSystem::Open(counting, {}).value();
  counting.FailCall(10 * kLevels);
  {
    PathWay way(*looked_at);
    for (const std::string& path : paths) {
      size_t names = 0;
      EXPECT_TRUE(ListPath(
          *looked_at, path,
          [&](std::string_view, const InodeInfo&) -> Result<void> {
            return ++names, Result<void>();
          },
          &way));
      EXPECT_EQ(names, path == paths.back() ? 0u : 1u);
    }
    EXPECT_FALSE(counting.HasFailed());
  }
  EXPECT_EQ(looked_at->CountReferencedInodes(), 0u);
}

TEST_F(Path, AWayFindsWhatEachPathNames) {
  ASSERT_EQ(Change(PathOperation::Kind::kMakeDirectory, "a"), std::nullopt);
  ASSERT_EQ(Change(PathOperation::Kind::kMakeDirectory, "a/b"), std::nullopt);
  ASSERT_EQ(Change(PathOperation::Kind::kMakeDirectory, "a/b/c2"), std::nullopt);
  for (const char* path : {"a/b/c", "a/b/cc", "a/bb", "ab", "a/b/c2/d"}) {
    ASSERT_EQ(Put(path, path), std::nullopt);
  }
  PathWay way(fs());
  for (const char* path :
       {"a/b/c", "a/b/cc", "a/b", "a", "/a//b/c/", "ab", "a/bb", "a/b/c2/d", "a/b/c", "",
        "a/b/c/none", "a/none", "none", "a/b/c", "a/b/c2", "ab/", "a/b/c2/d"}) {
    SCOPED_TRACE(path);
    const auto expected = StatPath(fs(), path);
    const auto found = StatPath(fs(), path, &way);
    ASSERT_EQ(found.has_value(), expected.has_value());
    if (found) {
      EXPECT_EQ(found->number, expected->number);
    } else {
      EXPECT_EQ(found.error().code, expected.error().code);
    }
  }
}

// Directories are moved, removed and recreated between lookups.
TEST_F(Path, AWayFollowsWhatOthersChange) {
  const std::vector<std::string> paths = {"a", "a/b", "a/b/c", "d", "d/b", "d/b/c", "a/c", "d/c"};
  std::minstd_rand random(1);
  const auto any = [&]() -> const std::string& { return paths[random() % paths.size()]; };
  constexpr PathOperation::Kind kKinds[] = {
      PathOperation::Kind::kMakeDirectory,   PathOperation::Kind::kMove,
      PathOperation::Kind::kRemoveDirectory, PathOperation::Kind::kPut,
      PathOperation::Kind::kDelete,          PathOperation::Kind::kMakeDirectory};
  PathWay way(fs());
  size_t changed = 0, found = 0;
  for (int step = 0; step < 20'000; ++step) {
    PathOperation change;
    change.kind = kKinds[random() % std::size(kKinds)];
    change.path = any();
    if (change.kind == PathOperation::Kind::kMove) change.to = any();
    if (fs().ApplyChanges(std::span(&change, 1), kUser)) ++changed;
    for (int look = 0; look < 2; ++look) {
      const std::string& path = any();
      const auto expected = StatPath(fs(), path);
      const auto along = StatPath(fs(), path, &way);
      ASSERT_EQ(CodeOf(along), CodeOf(expected)) << "step " << step << ", " << path;
      if (!along) continue;
      ASSERT_EQ(along->number, expected->number) << "step " << step << ", " << path;
      ++found;
    }
  }
  EXPECT_GT(changed, 2'000u);
  EXPECT_GT(found, 5'000u);
}

TEST_F(Path, PutThenGet) {
  ASSERT_EQ(Put("foo", "bar"), std::nullopt);
  EXPECT_EQ(*Get("foo"), "bar");
  EXPECT_EQ(*store().Get("foo"), "bar");
}

TEST_F(Path, GetTellsAbsentFromEmpty) {
  ASSERT_EQ(Put("empty", ""), std::nullopt);
  EXPECT_EQ(*Get("empty"), "");
  EXPECT_EQ(CodeOf(Get("absent")), ErrorCode::kNotFound);
}

TEST_F(Path, PutReplacesTheWholeValue) {
  ASSERT_EQ(Put("foo", "a long value"), std::nullopt);
  ASSERT_EQ(Put("foo", "short"), std::nullopt);
  EXPECT_EQ(*Get("foo"), "short");
  EXPECT_EQ(Names("").size(), 1u);
}

TEST_F(Path, ValuesOfManyPiecesComeBack) {
  std::string value(5'000'000, 'x');
  value[3'500'000] = 'y';
  ASSERT_EQ(Put("foo", value), std::nullopt);
  EXPECT_EQ(*Get("foo"), value);
}

TEST_F(Path, LeadsThroughDirectories) {
  Directory("b", Directory("a").number);
  ASSERT_EQ(Put("/a//b/foo", "deep"), std::nullopt);
  EXPECT_EQ(*Get("a/b/foo/"), "deep");
  EXPECT_EQ(Names("a"), std::vector<std::string>{"b"});
  EXPECT_EQ(Names("/a/b"), std::vector<std::string>{"foo"});
  EXPECT_EQ(Names("/a/b/foo"), std::vector<std::string>{"foo"});
}

TEST_F(Path, PutMakesNoDirectories) {
  EXPECT_EQ(Put("a/foo", "bar"), ErrorCode::kNotFound);
  EXPECT_TRUE(Names("").empty());
}

TEST_F(Path, FilesAreNoDirectoriesAndDirectoriesHaveNoValue) {
  File("f", "bar");
  Directory("d");
  EXPECT_EQ(Put("f/x", ""), ErrorCode::kNotDirectory);
  EXPECT_EQ(CodeOf(Get("f/x")), ErrorCode::kNotDirectory);
  EXPECT_EQ(Put("d", ""), ErrorCode::kIsDirectory);
  EXPECT_EQ(Put("", ""), ErrorCode::kIsDirectory);
  EXPECT_EQ(CodeOf(Get("d")), ErrorCode::kIsDirectory);
  EXPECT_EQ(CodeOf(Get("/")), ErrorCode::kIsDirectory);
  EXPECT_EQ(Delete("d"), ErrorCode::kIsDirectory);
}

TEST_F(Path, DotsAndLinksAreRefused) {
  ASSERT_TRUE(fs().MakeSymbolicLink(kRootInode, "l", "f", kRoot));
  EXPECT_EQ(CodeOf(Get("./f")), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(Get("../f")), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(Get("l")), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(Get("l/f")), ErrorCode::kInvalid);
  EXPECT_EQ(Put("l", "x"), ErrorCode::kInvalid);
}

TEST_F(Path, DeleteTakesTheFileAway) {
  ForgetAll(File("foo", "bar"));
  EXPECT_EQ(Delete("foo"), std::nullopt);
  EXPECT_EQ(Delete("foo"), ErrorCode::kNotFound);
}

TEST_F(Path, StatKnowsTheRoot) {
  EXPECT_EQ(StatPath(fs(), "")->number, kRootInode);
  EXPECT_EQ(StatPath(fs(), "/")->attributes.mode, S_IFDIR | 0755u);
}

TEST_F(Path, ListsThousandsOfNames) {
  for (int i = 0; i < 5000; ++i) ForgetAll(File("a name of some length " + std::to_string(i)));
  EXPECT_EQ(Names("/").size(), 5000u);
}

TEST_F(Path, PutKeepsModeOwnerAndExtendedAttributes) {
  const InodeInfo file = File("f", "old");
  ASSERT_TRUE(fs().SetAttributes(file.number, {.permissions = 0600, .uid = 5}, kRoot));
  ASSERT_TRUE(fs().SetXattr(file.number, "user.a", "one", XattrMode::kAny, kRoot));
  ForgetAll(file);
  Put("f", "new");
  const InodeInfo replaced = Find("f");
  EXPECT_EQ(replaced.attributes.uid, 5u);
  EXPECT_EQ(replaced.attributes.mode & 07777, 0600u);
  EXPECT_EQ(*fs().GetXattr(replaced.number, "user.a"), "one");
}

TEST_F(Path, FollowsHardLinks) {
  const InodeInfo file = File("a", "content");
  ASSERT_TRUE(fs().Link(file.number, kRootInode, "b"));
  EXPECT_EQ(*Get("a"), "content");
  EXPECT_EQ(*Get("b"), "content");
  ASSERT_EQ(Delete("a"), std::nullopt);
  EXPECT_EQ(*Get("b"), "content");
}

TEST_F(Path, LeavesNoReferences) {
  Directory("d");
  Put("d/foo", "bar");
  Put("d/foo", "baz");
  Get("d/foo");
  Get("d/absent");
  Names("d");
  ForgetAll(Find("d"));
  EXPECT_EQ(fs().CountReferencedInodes(), 0u);
}

}  // namespace
}  // namespace kvfs::fs
