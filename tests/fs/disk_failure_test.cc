// A disk that fails or fills up under a file system: the errors of calls, and which calls still
// work.
#include <sys/stat.h>

#include "fs/fuse/errno.h"
#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class DiskFailure : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> TryWrite(const InodeInfo& file, std::string_view data) {
    return CodeOf(fs().Write(file.number, 0, AsBytes(data), kRoot));
  }
  void FailNextChange() { disk().InjectFault({.nth = 1, .code = ErrorCode::kIo}); }
};

constexpr std::optional<ErrorCode> kNoError;

TEST_F(DiskFailure, AFailedSyncEndsChangesAndIsToldOnce) {
  const InodeInfo file = File("f", "value");
  FailNextChange();
  EXPECT_EQ(CodeOf(fs().Sync()), ErrorCode::kIo);
  EXPECT_EQ(TryWrite(file, "other"), ErrorCode::kReadOnly);
  EXPECT_EQ(CodeOf(fs().CreateFile(kRootInode, "g", S_IFREG, 0, kRoot)), ErrorCode::kReadOnly);
  EXPECT_EQ(CodeOf(fs().Link(file.number, kRootInode, "g")), ErrorCode::kReadOnly);
  EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, "f")), ErrorCode::kReadOnly);
  EXPECT_EQ(CodeOf(fs().SetXattr(file.number, "user.a", "b", XattrMode::kAny, kRoot)),
            ErrorCode::kReadOnly);
  EXPECT_EQ(log_lines().size(), 1u);
  EXPECT_EQ(ToErrno(ErrorCode::kIo), EIO);
  EXPECT_EQ(ToErrno(ErrorCode::kReadOnly), EROFS);
}

TEST_F(DiskFailure, ReadingGoesOn) {
  const InodeInfo file = File("f", "value");
  FailNextChange();
  EXPECT_EQ(CodeOf(fs().Sync()), ErrorCode::kIo);
  EXPECT_EQ(Read(file.number), "value");
  EXPECT_EQ(List(), std::vector<std::string>{"f"});
  EXPECT_TRUE(Exists("f"));
  EXPECT_FALSE(Exists("g"));
}

TEST_F(DiskFailure, WhatWasRefusedHasNotHappened) {
  const InodeInfo file = File("f", "value"), directory = Directory("d");
  const uint32_t links = Stat(kRootInode).attributes.links;
  FailNextChange();
  EXPECT_EQ(CodeOf(fs().Sync()), ErrorCode::kIo);
  EXPECT_EQ(CodeOf(fs().Rename(kRootInode, "f", directory.number, "g", RenameMode::kReplace)),
            ErrorCode::kReadOnly);
  EXPECT_EQ(CodeOf(fs().RemoveDirectory(kRootInode, "d")), ErrorCode::kReadOnly);
  EXPECT_EQ(Find("f").number, file.number);
  EXPECT_EQ(Stat(kRootInode).attributes.links, links);
  EXPECT_EQ(Stat(directory.number).attributes.links, 2u);
}

TEST_F(DiskFailure, MoreThanTheDiskHasIsRefusedAtOnce) {
  const InodeInfo file = File("f", "value");
  disk().SetCapacity(400 << 20);
  const uint64_t before = store().GetDiskSpace()->available_bytes;
  EXPECT_EQ(
      CodeOf(fs().ChangeRange(file.number, 0, uint64_t{1} << 30, RangeChange::kAllocate, kRoot)),
      ErrorCode::kNoSpace);
  EXPECT_EQ(store().GetDiskSpace()->available_bytes, before);
  EXPECT_EQ(Stat(file.number).size_bytes, 5u);
  EXPECT_EQ(TryWrite(file, "other"), kNoError);
}

TEST_F(DiskFailure, ADiskThatGetsFullRefusesSpaceAndKeepsTheSize) {
  const InodeInfo file = File("f", "value");
  disk().SetCapacity(220 << 20);
  const uint64_t all = fs().GetSpace()->available_bytes;
  EXPECT_LT(all, store().GetDiskSpace()->available_bytes + store().GetStats().reusable_bytes)
      << "some is for checkpoints and deletes";
  // Another process fills the disk between two pieces.
  const auto fill = [this] {
    disk().SetCapacity(150 << 20);
    return false;
  };
  ASSERT_EQ(CodeOf(fs().ChangeRange(file.number, 0, all, RangeChange::kAllocate, kRoot, fill)),
            ErrorCode::kNoSpace);
  EXPECT_EQ(Stat(file.number).size_bytes, 5u);
  EXPECT_EQ(Read(file.number), "value");
  EXPECT_EQ(TryWrite(file, "other"), kNoError);
  EXPECT_TRUE(fs().Unlink(kRootInode, "f"));
}

// An unlinked file in use moves to another directory, possibly in another shard: that takes space,
// and must not need free space.
TEST_F(DiskFailure, AFullDiskLetsFilesGoThatAreInUse) {
  std::vector<InodeInfo> files;
  for (int i = 0; i < 40; ++i) {
    files.push_back(File("f" + std::to_string(i), "value"));
    ASSERT_TRUE(fs().SetXattr(files.back().number, "user.a", std::string(10'000, 'x'),
                              XattrMode::kAny, kRoot));
  }
  const InodeInfo filler = File("filler");
  disk().SetCapacity(220 << 20);
  uint64_t end = 0;
  for (const size_t bytes : {size_t{1} << 20, size_t{1} << 16, size_t{1} << 12}) {
    const std::string data(bytes, 'x');
    while (fs().Write(filler.number, end, AsBytes(data), kRoot)) end += bytes;
  }
  for (int i = 0; fs().CreateFile(kRootInode, "g" + std::to_string(i), S_IFREG, 0, kRoot); ++i) {
    ASSERT_LT(i, 1'000'000) << "the disk does not get full";
  }
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, "f" + std::to_string(i))), kNoError) << i;
    EXPECT_EQ(Read(files[i].number), "value");
    ForgetAll(files[i]);
  }
  EXPECT_EQ(CodeOf(fs().Unlink(kRootInode, "filler")), kNoError);
}

}  // namespace
}  // namespace kvfs::fs
