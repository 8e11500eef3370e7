// Disk space of contents: allocated, punched, zeroed, found; and ranges copied within the store.
#include <sys/stat.h>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kBlock = 4096;

class FileSpace : public FileSystemFixture {
 protected:
  std::optional<ErrorCode> Change(const InodeInfo& file, uint64_t offset, uint64_t length,
                                  RangeChange change) {
    return CodeOf(fs().ChangeRange(file.number, offset, length, change, kRoot));
  }
  uint64_t Data(const InodeInfo& file, uint64_t from) {
    return fs().FindRange(file.number, from, RangeKind::kData).value_or(UINT64_MAX);
  }
  uint64_t Hole(const InodeInfo& file, uint64_t from) {
    return fs().FindRange(file.number, from, RangeKind::kHole).value_or(UINT64_MAX);
  }
  uint64_t Copy(const InodeInfo& from, uint64_t from_offset, const InodeInfo& to,
                uint64_t to_offset, uint64_t length) {
    return fs()
        .CopyRange(from.number, from_offset, to.number, to_offset, length, kRoot)
        .value_or(UINT64_MAX);
  }
  uint64_t Allocated(const InodeInfo& file) { return Stat(file.number).allocated_bytes; }
};

constexpr std::optional<ErrorCode> kNoError;

TEST_F(FileSpace, WhatIsDeletedCountsAsFree) {
  disk().SetCapacity(400 << 20);
  constexpr uint64_t kFiles = 100, kBytes = 7 * kBlock;
  std::vector<InodeInfo> files;
  for (uint64_t i = 0; i < kFiles; ++i) {
    files.push_back(File("f" + std::to_string(i), std::string(kBytes, 'x')));
  }
  ASSERT_TRUE(store().Checkpoint());
  const uint64_t full = fs().GetSpace()->available_bytes;
  for (uint64_t i = 0; i < kFiles; ++i) {
    ASSERT_TRUE(fs().Unlink(kRootInode, "f" + std::to_string(i)));
    ForgetAll(files[i]);
  }
  // The next checkpoint needs some space for the pages that the deletes change.
  EXPECT_GE(fs().GetSpace()->available_bytes, full + kFiles * kBytes / 2);
}

// An exclusive call between two pieces: it would hang if the lock were held throughout.
TEST_F(FileSpace, AllocatingInPiecesLetsOthersIn) {
  constexpr uint64_t kPiece = uint64_t{128} << 20;
  disk().SetCapacity(1 << 30);
  const InodeInfo file = File("f", "data");
  int renames = 0;
  auto rename = [&] {
    const std::string from = renames % 2 == 0 ? "f" : "g", to = renames % 2 == 0 ? "g" : "f";
    EXPECT_TRUE(fs().Rename(kRootInode, from, kRootInode, to, RenameMode::kReplace));
    ++renames;
    return false;
  };
  EXPECT_TRUE(fs().ChangeRange(file.number, 0, 3 * kPiece, RangeChange::kAllocate, kRoot, rename));
  EXPECT_EQ(renames, 2);
  EXPECT_EQ(Allocated(file), 3 * kPiece);
}

TEST_F(FileSpace, AllocatingExtendsWithZerosThatHaveSpace) {
  const InodeInfo file = File("f", "data");
  PassSeconds(5);
  ASSERT_EQ(Change(file, 0, 8 * kBlock, RangeChange::kAllocate), kNoError);
  EXPECT_EQ(Stat(file.number).size_bytes, 8 * kBlock);
  EXPECT_EQ(Allocated(file), 8 * kBlock);
  EXPECT_EQ(Read(file.number), "data" + std::string(8 * kBlock - 4, '\0'));
  EXPECT_EQ(Stat(file.number).attributes.mtime, now());
}

TEST_F(FileSpace, AllocatingInsideKeepsSizeAndData) {
  const InodeInfo file = File("f");
  ASSERT_TRUE(fs().SetAttributes(file.number, {.size_bytes = 10 * kBlock}, kRoot));
  Write(file.number, kBlock, "data");
  ASSERT_EQ(Change(file, 0, 100 * kBlock, RangeChange::kAllocateKeepingSize), kNoError);
  EXPECT_EQ(Stat(file.number).size_bytes, 10 * kBlock);
  EXPECT_EQ(Allocated(file), 10 * kBlock);
  EXPECT_EQ(Read(file.number).substr(kBlock, 4), "data");
}

TEST_F(FileSpace, AllocatingALittleIsNotLost) {
  const InodeInfo file = File("f", "data");
  ASSERT_EQ(Change(file, 2, 100, RangeChange::kAllocate), kNoError);
  EXPECT_EQ(Read(file.number), "data" + std::string(98, '\0'));
}

TEST_F(FileSpace, PunchingGivesSpaceBackAndReadsAsZeros) {
  const InodeInfo file = File("f");
  Write(file.number, 0, std::string(8 * kBlock, 'x'));
  ASSERT_EQ(Change(file, 100, 6 * kBlock, RangeChange::kPunch), kNoError);
  EXPECT_EQ(Stat(file.number).size_bytes, 8 * kBlock);
  EXPECT_EQ(Allocated(file), 3 * kBlock);
  EXPECT_EQ(Read(file.number), std::string(100, 'x') + std::string(6 * kBlock, '\0') +
                                   std::string(2 * kBlock - 100, 'x'));
  ASSERT_EQ(Change(file, 0, UINT64_MAX / 4, RangeChange::kPunch), kNoError);
  EXPECT_EQ(Allocated(file), 0u);
}

TEST_F(FileSpace, ZeroingKeepsTheSpace) {
  const InodeInfo file = File("f");
  Write(file.number, 0, std::string(4 * kBlock, 'x'));
  ASSERT_EQ(Change(file, kBlock, kBlock, RangeChange::kZeroKeepingSize), kNoError);
  EXPECT_EQ(Allocated(file), 4 * kBlock);
  EXPECT_EQ(Read(file.number).substr(kBlock, kBlock), std::string(kBlock, '\0'));
  ASSERT_EQ(Change(file, 3 * kBlock, 3 * kBlock, RangeChange::kZero), kNoError);
  EXPECT_EQ(Stat(file.number).size_bytes, 6 * kBlock);
  EXPECT_EQ(Allocated(file), 6 * kBlock);
}

TEST_F(FileSpace, ChangesOfAUserClearSetuid) {
  const InodeInfo file = File("f", "data");
  ASSERT_TRUE(fs().SetAttributes(file.number, {.permissions = 06777}, kRoot));
  ASSERT_TRUE(fs().ChangeRange(file.number, 0, 2, RangeChange::kPunch, kUser));
  EXPECT_EQ(Stat(file.number).attributes.mode, S_IFREG | 0777u);
}

TEST_F(FileSpace, ACopyOfAUserClearsSetuid) {
  const InodeInfo from = File("from", "data"), to = File("to");
  ASSERT_TRUE(fs().SetAttributes(to.number, {.permissions = 06777}, kRoot));
  ASSERT_TRUE(fs().CopyRange(from.number, 0, to.number, 0, 4, kUser));
  EXPECT_EQ(Stat(to.number).attributes.mode, S_IFREG | 0777u);
}

TEST_F(FileSpace, RangesThatMakeNoSenseAreRefused) {
  const InodeInfo file = File("f", "data");
  EXPECT_EQ(Change(file, 0, 0, RangeChange::kPunch), ErrorCode::kInvalid);
  EXPECT_EQ(Change(file, kMaxContentBytes, 2, RangeChange::kPunch), ErrorCode::kTooLarge);
  EXPECT_EQ(Change(Directory("d"), 0, 1, RangeChange::kAllocate), ErrorCode::kIsDirectory);
  const auto pipe = fs().CreateFile(kRootInode, "p", S_IFIFO | 0600, 0, kRoot);
  EXPECT_EQ(Change(*pipe, 0, 1, RangeChange::kAllocate), ErrorCode::kInvalid);
  EXPECT_EQ(Change(Inode(4711), 0, 1, RangeChange::kAllocate), ErrorCode::kStale);
}

TEST_F(FileSpace, DataAndHolesAreFound) {
  const InodeInfo file = File("f");
  Write(file.number, 16 * kBlock, std::string(kBlock, 'x'));
  ASSERT_TRUE(fs().SetAttributes(file.number, {.size_bytes = 64 * kBlock}, kRoot));
  EXPECT_EQ(Data(file, 0), 16 * kBlock);
  EXPECT_EQ(Data(file, 16 * kBlock + 5), 16 * kBlock + 5);
  EXPECT_EQ(Hole(file, 0), 0u);
  EXPECT_EQ(Hole(file, 16 * kBlock), 17 * kBlock);
  EXPECT_EQ(Data(file, 17 * kBlock), UINT64_MAX);
  EXPECT_EQ(CodeOf(fs().FindRange(file.number, 64 * kBlock, RangeKind::kHole)),
            ErrorCode::kNotFound);
}

TEST_F(FileSpace, ASmallFileIsOnePieceOfData) {
  const InodeInfo file = File("f", "data");
  EXPECT_EQ(Data(file, 2), 2u);
  EXPECT_EQ(Hole(file, 0), 4u);
  EXPECT_EQ(Data(file, 4), UINT64_MAX);
  EXPECT_EQ(Allocated(file), 4u);
}

TEST_F(FileSpace, RangesAreCopied) {
  const InodeInfo from = File("from"), to = File("to", "0123456789");
  Write(from.number, 0, std::string(3 * kBlock, 'a') + "tail");
  PassSeconds(5);
  EXPECT_EQ(Copy(from, 3 * kBlock, to, 2, 100), 4u);
  EXPECT_EQ(Read(to.number), "01tail6789");
  EXPECT_EQ(Stat(to.number).attributes.mtime, now());
  EXPECT_EQ(Copy(from, 0, to, kBlock, UINT64_MAX / 4), 3 * kBlock + 4);
  EXPECT_EQ(Read(to.number).substr(kBlock), Read(from.number));
  EXPECT_EQ(Copy(from, 1 << 20, to, 0, 100), 0u);
}

TEST_F(FileSpace, CopiesOfHolesAreHoles) {
  const InodeInfo from = File("from"), to = File("to");
  Write(from.number, 100 * kBlock, "end");
  EXPECT_EQ(Copy(from, 0, to, 0, 200 * kBlock), 100 * kBlock + 3);
  EXPECT_EQ(Read(to.number), Read(from.number));
  EXPECT_LE(Allocated(to), kBlock);
}

TEST_F(FileSpace, RangesOfOneFileAreCopiedUnlessTheyOverlap) {
  const InodeInfo file = File("f", "0123456789");
  EXPECT_EQ(Copy(file, 0, file, 5, 5), 5u);
  EXPECT_EQ(Read(file.number), "0123401234");
  EXPECT_EQ(CodeOf(fs().CopyRange(file.number, 0, file.number, 3, 5, kRoot)), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(fs().CopyRange(file.number, 0, Directory("d").number, 3, 5, kRoot)),
            ErrorCode::kIsDirectory);
}

}  // namespace
}  // namespace kvfs::fs
