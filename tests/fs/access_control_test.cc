// Access control lists and modes keep in step, as in Linux; new files inherit.
#include <sys/stat.h>

#include <utility>

#include "fs/access_list.h"
#include "fs/path_operation.h"
#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

struct Entry {
  uint16_t tag, permissions;
  uint32_t id = UINT32_MAX;
};
constexpr uint16_t kOwner = 1, kUser_ = 2, kOwningGroup = 4, kGroup = 8, kMask = 16, kOthers = 32;

std::string ListOf(const std::vector<Entry>& entries) {
  std::string out("\2\0\0\0", 4);
  for (const Entry& entry : entries) {
    std::byte bytes[8];
    StoreLittle(bytes, entry.tag);
    StoreLittle(bytes + 2, entry.permissions);
    StoreLittle(bytes + 4, entry.id);
    out += AsText(bytes);
  }
  return out;
}

// The owner has all rights; user 7 may read and write; the group may read, others nothing.
std::string Sample(uint16_t mask) {
  return ListOf({{kOwner, 7}, {kUser_, 6, 7}, {kOwningGroup, 4}, {kMask, mask}, {kOthers, 0}});
}

class AccessControl : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> Set(const InodeInfo& inode, std::string_view name,
                               const std::string& list, Caller caller = kRoot) {
    return CodeOf(fs().SetXattr(inode.number, name, list, XattrMode::kAny, caller));
  }
  std::string Get(InodeNumber inode, std::string_view name = kAccessListXattr) {
    return fs().GetXattr(inode, name).value_or("none");
  }
  uint32_t Mode(InodeNumber inode) { return Stat(inode).attributes.mode & 07777; }
};

constexpr std::optional<ErrorCode> kNoError;

TEST_F(AccessControl, AListSetsTheMode) {
  const InodeInfo file = File("f");
  ASSERT_EQ(Set(file, kAccessListXattr, Sample(6)), kNoError);
  EXPECT_EQ(Mode(file.number), 0760u);
  EXPECT_EQ(Get(file.number), Sample(6));
  EXPECT_EQ(Stat(file.number).attributes.mode & S_IFMT, uint32_t{S_IFREG});
}

TEST_F(AccessControl, AListThatSaysNoMoreThanAModeIsNotKept) {
  const InodeInfo file = File("f");
  ASSERT_EQ(Set(file, kAccessListXattr, Sample(6)), kNoError);
  ASSERT_EQ(Set(file, kAccessListXattr, ListOf({{kOwner, 6}, {kOwningGroup, 4}, {kOthers, 1}})),
            kNoError);
  EXPECT_EQ(Mode(file.number), 0641u);
  EXPECT_EQ(Get(file.number), "none");
  EXPECT_FALSE(Stat(file.number).attributes.has_xattrs);
}

TEST_F(AccessControl, ChmodSetsTheMask) {
  const InodeInfo file = File("f");
  ASSERT_EQ(Set(file, kAccessListXattr, Sample(6)), kNoError);
  ASSERT_TRUE(fs().SetAttributes(file.number, {.permissions = 0444}, kRoot));
  EXPECT_EQ(Get(file.number),
            ListOf({{kOwner, 4}, {kUser_, 6, 7}, {kOwningGroup, 4}, {kMask, 4}, {kOthers, 4}}));
  EXPECT_EQ(Mode(file.number), 0444u);
}

TEST_F(AccessControl, NewFilesInheritTheirDirectorysDefault) {
  const InodeInfo directory = Directory("d");
  ASSERT_EQ(Set(directory, kDefaultListXattr, Sample(7)), kNoError);
  EXPECT_EQ(Mode(directory.number), 0755u);
  const Caller caller = {1000, 100, 077};  // the umask is ignored in this case
  const auto file = fs().CreateFile(directory.number, "f", S_IFREG | 0664, 0, caller);
  ASSERT_TRUE(file);
  EXPECT_EQ(Mode(file->number), 0660u);
  EXPECT_EQ(Get(file->number),
            ListOf({{kOwner, 6}, {kUser_, 6, 7}, {kOwningGroup, 4}, {kMask, 6}, {kOthers, 0}}));
  EXPECT_EQ(Get(file->number, kDefaultListXattr), "none");
  CrashAndReopen();
  EXPECT_EQ(Mode(Find("f", Find("d").number).number), 0660u);
}

TEST_F(AccessControl, NewDirectoriesPassTheDefaultOn) {
  const InodeInfo directory = Directory("d");
  ASSERT_EQ(Set(directory, kDefaultListXattr, Sample(7)), kNoError);
  const auto child = fs().MakeDirectory(directory.number, "e", 0777, kUser);
  ASSERT_TRUE(child);
  EXPECT_EQ(Get(child->number, kDefaultListXattr), Sample(7));
  EXPECT_EQ(Get(child->number), Sample(7));
  EXPECT_EQ(child->attributes.links, 2u);
  EXPECT_EQ(Stat(directory.number).attributes.links, 3u);
  EXPECT_EQ(CodeOf(fs().MakeDirectory(directory.number, "e", 0777, kUser)), ErrorCode::kExists);
}

TEST_F(AccessControl, UnnamedFilesInheritAsWell) {
  const InodeInfo directory = Directory("d");
  ASSERT_EQ(Set(directory, kDefaultListXattr, Sample(7)), kNoError);
  const auto file = fs().CreateUnnamedFile(directory.number, 0666, kUser);
  ASSERT_TRUE(file);
  ASSERT_TRUE(fs().Link(file->number, directory.number, "f"));
  EXPECT_EQ(Mode(file->number), 0660u);
  EXPECT_NE(Get(file->number), "none");
}

PathOperation Change(PathOperation::Kind kind, std::string path, std::string to = {}) {
  PathOperation change;
  change.kind = kind;
  change.path = std::move(path);
  change.to = std::move(to);
  return change;
}

TEST_F(AccessControl, ChangesByPathInheritAsWell) {
  using Kind = PathOperation::Kind;
  const InodeInfo directory = Directory("d");
  ASSERT_EQ(Set(directory, kDefaultListXattr, Sample(7)), kNoError);
  ASSERT_TRUE(fs().ApplyChanges(
      std::vector{Change(Kind::kPut, "d/put"), Change(Kind::kAppend, "d/appended"),
                  Change(Kind::kMakeDirectory, "d/made"), Change(Kind::kPut, "d/before"),
                  Change(Kind::kMove, "d/before", "d/moved")},
      kUser));
  const auto file = fs().CreateFile(directory.number, "file", S_IFREG | 0666, 0, kUser);
  const auto made = fs().MakeDirectory(directory.number, "directory", 0777, kUser);
  for (const char* name : {"put", "appended", "moved"}) {
    const InodeInfo inode = Find(name, directory.number);
    EXPECT_EQ(inode.attributes.mode, file->attributes.mode) << name;
    EXPECT_EQ(Get(inode.number), Get(file->number)) << name;
  }
  const InodeNumber inode = Find("made", directory.number).number;
  EXPECT_EQ(Mode(inode), made->attributes.mode & 07777);
  EXPECT_EQ(Get(inode), Get(made->number));
  EXPECT_EQ(Get(inode, kDefaultListXattr), Sample(7));
}

TEST_F(AccessControl, ChangesThatCameToNothingLeaveNoLists) {
  using Kind = PathOperation::Kind;
  ASSERT_EQ(Set(Directory("d"), kDefaultListXattr, Sample(7)), kNoError);
  const size_t entries = EntriesInStore();
  const auto refused = fs().ApplyChanges(
      std::vector{Change(Kind::kPut, "d/f"), Change(Kind::kDelete, "absent")}, kUser);
  EXPECT_EQ(CodeOf(refused), ErrorCode::kNotFound);
  EXPECT_EQ(EntriesInStore(), entries);
  ASSERT_TRUE(
      fs().ApplyChanges(std::vector{Change(Kind::kPut, "d/f"), Change(Kind::kMove, "d/f", "d/g"),
                                    Change(Kind::kDelete, "d/g")},
                        kUser));
  EXPECT_EQ(EntriesInStore(), entries);
}

TEST_F(AccessControl, SymbolicLinksHaveNoLists) {
  const InodeInfo directory = Directory("d");
  ASSERT_EQ(Set(directory, kDefaultListXattr, Sample(7)), kNoError);
  const auto link = fs().MakeSymbolicLink(directory.number, "l", "x", kUser);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->attributes.mode, S_IFLNK | 0777u);
  EXPECT_EQ(Set(*link, kAccessListXattr, Sample(7)), ErrorCode::kUnsupported);
}

TEST_F(AccessControl, WithoutADefaultTheUmaskHolds) {
  const auto file = fs().CreateFile(kRootInode, "f", S_IFREG | 0666, 0, {1000, 100, 027});
  const auto directory = fs().MakeDirectory(kRootInode, "d", 0777, {1000, 100, 027});
  EXPECT_EQ(Mode(file->number), 0640u);
  EXPECT_EQ(Mode(directory->number), 0750u);
  using Kind = PathOperation::Kind;
  ASSERT_TRUE(fs().ApplyChanges(
      std::vector{Change(Kind::kPut, "put"), Change(Kind::kMakeDirectory, "made")},
      {1000, 100, 027}));
  EXPECT_EQ(Mode(Find("put").number), 0640u);
  EXPECT_EQ(Mode(Find("made").number), 0750u);
}

TEST_F(AccessControl, OnlyDirectoriesHaveDefaults) {
  EXPECT_EQ(Set(File("f"), kDefaultListXattr, Sample(7)), ErrorCode::kPermission);
}

TEST_F(AccessControl, AStrangersListClearsSetgid) {
  const InodeInfo file = File("f");
  ASSERT_TRUE(fs().SetAttributes(file.number, {.permissions = 02755}, kRoot));
  ASSERT_EQ(Set(file, kAccessListXattr, Sample(7)), kNoError);
  EXPECT_EQ(Mode(file.number), 02770u);
  ASSERT_EQ(Set(file, kAccessListXattr, Sample(7), kUser), kNoError);
  EXPECT_EQ(Mode(file.number), 0770u);
}

TEST_F(AccessControl, WhatIsNoListIsRefused) {
  const InodeInfo file = File("f");
  const std::string good = Sample(7);
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_EQ(Set(file, kAccessListXattr, good.substr(0, length)), ErrorCode::kInvalid) << length;
  }
  for (const auto& entries : std::vector<std::vector<Entry>>{
           {{kOwner, 7}, {kOwningGroup, 7}},
           {{kOwner, 8}, {kOwningGroup, 7}, {kOthers, 7}},
           {{kOwner, 7}, {kOwner, 7}, {kOwningGroup, 7}, {kOthers, 7}},
           {{kOwningGroup, 7}, {kOwner, 7}, {kOthers, 7}},
           {{kOwner, 7}, {kOwningGroup, 7}, {kGroup, 7, 5}, {kOthers, 7}},
           {{kOwner, 7}, {kOwningGroup, 7}, {kOthers, 7}, {64, 7}}}) {
    EXPECT_EQ(Set(file, kAccessListXattr, ListOf(entries)), ErrorCode::kInvalid);
  }
  std::string version = good;
  version[0] = 3;
  EXPECT_EQ(Set(file, kAccessListXattr, version), ErrorCode::kInvalid);
  EXPECT_FALSE(Stat(file.number).attributes.has_xattrs);
}

}  // namespace
}  // namespace kvfs::fs
