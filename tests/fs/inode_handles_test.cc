// Inodes found by number alone, as the kernel requests them for a file handle after it has
// forgotten them.
#include <sys/stat.h>

#include <set>
#include <string>

#include "fs/path_operation.h"
#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class InodeHandles : public FileSystemFixture {
 protected:
  // The number of a new file without references.
  InodeNumber Forgotten(std::string_view name, InodeNumber parent = kRootInode) {
    const InodeInfo file = File(name, name, parent);
    ForgetAll(file);
    return file.number;
  }
  // The content of the file with the number, which is looked up and then forgotten.
  std::string ByNumber(InodeNumber number) {
    const auto found = fs().LookupNumber(number);
    if (!found) return "an error";
    EXPECT_EQ(found->number, number);
    const std::string content = Read(number);
    fs().Forget(number, 1);
    return content;
  }
  ErrorCode ErrorOf(InodeNumber number) { return CodeOf(fs().LookupNumber(number)).value(); }
  void Move(std::string_view from, InodeNumber new_parent, std::string_view to) {
    ASSERT_TRUE(fs().Rename(kRootInode, from, new_parent, to, RenameMode::kReplace));
  }
};

TEST_F(InodeHandles, AForgottenFileIsFound) {
  const InodeNumber one = Forgotten("one"), two = Forgotten("two");
  EXPECT_EQ(ByNumber(one), "one");
  EXPECT_EQ(ByNumber(two), "two");
  EXPECT_EQ(fs().CountReferencedInodes(), 0u);
}

TEST_F(InodeHandles, AfterAReopeningToo) {
  const InodeInfo directory = Directory("d");
  const InodeNumber file = Forgotten("f", directory.number);
  Reopen();
  EXPECT_EQ(ByNumber(file), "f");
  EXPECT_TRUE(fs().LookupNumber(directory.number)->attributes.IsDirectory());
}

TEST_F(InodeHandles, WhereverItWasMoved) {
  const InodeInfo directory = Directory("d");
  const InodeNumber file = Forgotten("f");
  EXPECT_EQ(ByNumber(file), "f");
  Move("f", directory.number, "g");
  EXPECT_EQ(ByNumber(file), "f");
}

TEST_F(InodeHandles, ByWhateverNames) {
  const InodeInfo file = File("f", "shared");
  ASSERT_TRUE(fs().Link(file.number, kRootInode, "g"));
  ForgetAll(file);
  EXPECT_EQ(ByNumber(file.number), "shared");
  ASSERT_TRUE(fs().Unlink(kRootInode, "f"));
  EXPECT_EQ(ByNumber(file.number), "shared");
}

TEST_F(InodeHandles, OneThatIsKnownGetsAReferenceMore) {
  const InodeInfo file = File("f", "known");
  ASSERT_TRUE(fs().LookupNumber(file.number));
  fs().Forget(file.number, 1);
  EXPECT_EQ(Read(file.number), "known");
}

TEST_F(InodeHandles, OneThatIsGoneIsNoOther) {
  const InodeNumber gone = Forgotten("f");
  EXPECT_EQ(ByNumber(gone), "f");
  ASSERT_TRUE(fs().Unlink(kRootInode, "f"));
  EXPECT_EQ(ErrorOf(gone), ErrorCode::kStale);
  const InodeNumber other = Forgotten("f");
  EXPECT_EQ(ErrorOf(gone), ErrorCode::kStale);
  ASSERT_TRUE(fs().Unlink(kRootInode, "f"));
  Forgotten("f");
  EXPECT_EQ(ErrorOf(other), ErrorCode::kStale);
}

// A process that has it open continues to use it, without a lookup.
TEST_F(InodeHandles, OneWithoutANameIsGone) {
  const InodeInfo open = File("f", "open");
  ASSERT_TRUE(fs().Unlink(kRootInode, "f"));
  EXPECT_EQ(ErrorOf(open.number), ErrorCode::kStale);
  EXPECT_EQ(Read(open.number), "open");
}

TEST_F(InodeHandles, WhatIsNoInodeIsNotFound) {
  const InodeInfo file = File("f");
  ASSERT_TRUE(fs().Link(file.number, kRootInode, "g"));
  ASSERT_TRUE(fs().SetXattr(file.number, "user.a", "b", XattrMode::kAny, kRoot));
  const std::set<InodeNumber> inodes = {kRootInode, file.number};
  for (InodeNumber number = 0; number < 2000; ++number) {
    EXPECT_EQ(fs().LookupNumber(number).has_value(), inodes.contains(number)) << number;
  }
  EXPECT_EQ(ErrorOf(UINT64_MAX), ErrorCode::kStale);
}

TEST_F(InodeHandles, ADirectoryKnowsTheOneAbove) {
  const InodeInfo above = Directory("above");
  const InodeInfo below = Directory("below", above.number);
  ForgetAll(above);
  EXPECT_EQ(fs().LookupParent(below.number)->number, above.number);
  EXPECT_EQ(fs().LookupParent(above.number)->number, kRootInode);
  EXPECT_EQ(fs().LookupParent(kRootInode)->number, kRootInode);
  EXPECT_EQ(CodeOf(fs().LookupParent(File("f").number)), ErrorCode::kNotDirectory);
}

TEST_F(InodeHandles, ARemovedDirectoryHasNoneAbove) {
  const InodeInfo directory = Directory("d");
  ASSERT_TRUE(fs().RemoveDirectory(kRootInode, "d"));
  EXPECT_EQ(CodeOf(fs().LookupParent(directory.number)), ErrorCode::kStale);
}

TEST_F(InodeHandles, WhatCommandsMoveIsFound) {
  const InodeNumber file = Forgotten("f");
  EXPECT_EQ(ByNumber(file), "f");
  PathOperation move;
  move.kind = PathOperation::Kind::kMove;
  move.path = "f";
  move.to = "elsewhere";
  ASSERT_TRUE(fs().ApplyChanges(std::vector{move}, kRoot));
  EXPECT_EQ(ByNumber(file), "f");
}

TEST_F(InodeHandles, AStoreIsToldFromAnother) {
  const uint32_t generation = fs().Generation();
  EXPECT_NE(generation, 0u);
  Reopen();
  EXPECT_EQ(fs().Generation(), generation);
}

}  // namespace
}  // namespace kvfs::fs
