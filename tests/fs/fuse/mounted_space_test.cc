// fallocate, lseek, copy_file_range, and what stat and tools report afterwards, on a mounted store.
#include <linux/falloc.h>
#include <sys/mman.h>

#include "tests/fs/fuse/mounted_calls.h"

namespace kvfs::fs {
namespace {

constexpr off_t kBlock = 4096;

class MountedSpace : public MountedCalls {
 protected:
  struct stat Stat(int file) {
    struct stat attributes = {};
    EXPECT_EQ(fstat(file, &attributes), 0);
    return attributes;
  }
};

TEST_F(MountedSpace, FallocateExtendsOrKeepsTheSize) {
  const Descriptor file(Path("f"), O_RDWR | O_CREAT);
  ASSERT_EQ(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 100 * kBlock), 0);
  EXPECT_EQ(Stat(file).st_size, 0);
  ASSERT_EQ(fallocate(file, 0, 0, 100 * kBlock), 0);
  EXPECT_EQ(Stat(file).st_size, 100 * kBlock);
  EXPECT_EQ(Stat(file).st_blocks, 100 * kBlock / 512);
  EXPECT_EQ(GetFrom(file), std::string(4096, '\0'));
}

TEST_F(MountedSpace, PunchingAndZeroingAreSeenAtOnce) {
  const Descriptor file(Path("f"), O_RDWR | O_CREAT);
  Append(file, std::string(4 * kBlock, 'x'));
  void* mapped = mmap(nullptr, 4 * kBlock, PROT_READ, MAP_SHARED, file, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const char* bytes = static_cast<const char*>(mapped);
  EXPECT_EQ(bytes[kBlock], 'x');
  ASSERT_EQ(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kBlock, kBlock), 0);
  ASSERT_EQ(fallocate(file, FALLOC_FL_ZERO_RANGE, 2 * kBlock, kBlock), 0);
  EXPECT_EQ(bytes[kBlock], '\0');
  EXPECT_EQ(bytes[2 * kBlock], '\0');
  EXPECT_EQ(bytes[3 * kBlock], 'x');
  EXPECT_EQ(Stat(file).st_blocks, 3 * kBlock / 512);
  munmap(mapped, 4 * kBlock);
}

TEST_F(MountedSpace, WhatFallocateDoesNotDoSaysSo) {
  const Descriptor file(Path("f"), O_RDWR | O_CREAT);
  Append(file, std::string(4 * kBlock, 'x'));
  EXPECT_EQ(ErrorOf(fallocate(file, FALLOC_FL_COLLAPSE_RANGE, 0, kBlock)), EOPNOTSUPP);
  EXPECT_EQ(ErrorOf(fallocate(file, FALLOC_FL_INSERT_RANGE, 0, kBlock)), EOPNOTSUPP);
}

TEST_F(MountedSpace, LseekFindsDataAndHoles) {
  const Descriptor file(Path("f"), O_RDWR | O_CREAT);
  ASSERT_EQ(pwrite(file, "data", 4, 16 * kBlock), 4);
  ASSERT_EQ(ftruncate(file, 64 * kBlock), 0);
  EXPECT_EQ(lseek(file, 0, SEEK_DATA), 16 * kBlock);
  EXPECT_EQ(lseek(file, 16 * kBlock, SEEK_HOLE), 17 * kBlock);
  EXPECT_EQ(lseek(file, 0, SEEK_HOLE), 0);
  EXPECT_EQ(ErrorOf(static_cast<int>(lseek(file, 20 * kBlock, SEEK_DATA))), ENXIO);
  EXPECT_EQ(ErrorOf(static_cast<int>(lseek(file, 64 * kBlock, SEEK_HOLE))), ENXIO);
}

TEST_F(MountedSpace, CopyFileRangeCopies) {
  Put("from", std::string(10'000, 'a') + "tail");
  const Descriptor from(Path("from"), O_RDONLY);
  const Descriptor to(Path("to"), O_RDWR | O_CREAT);
  mounted().TakeMessages();
  off_t from_offset = 0, to_offset = 5;
  EXPECT_EQ(copy_file_range(from, &from_offset, to, &to_offset, 1 << 20, 0), 10'004);
  EXPECT_EQ(from_offset, 10'004);
  const auto messages = mounted().TakeMessages();
  EXPECT_EQ(messages.count("read") + messages.count("write"), 0u);
  EXPECT_EQ(Run("tail -c +6 $M/to | cmp - $M/from; stat -c %s $M/to"), "10009\n");
  EXPECT_EQ(copy_file_range(from, &from_offset, to, &to_offset, 1, 0), 0);
}

TEST_F(MountedSpace, CopyFileRangeRefusesOverlaps) {
  Put("f", "0123456789");
  const Descriptor file(Path("f"), O_RDWR);
  off_t from = 0, to = 5;
  EXPECT_EQ(copy_file_range(file, &from, file, &to, 5, 0), 5);
  EXPECT_EQ(Get("f"), "0123401234");
  from = 0, to = 2;
  EXPECT_EQ(ErrorOf(static_cast<int>(copy_file_range(file, &from, file, &to, 5, 0))), EINVAL);
}

TEST_F(MountedSpace, ASmallValueDoesNotLookLikeAHole) {
  Put("f", std::string(1000, 'x'));
  const Descriptor file(Path("f"), O_RDONLY);
  EXPECT_EQ(Stat(file).st_blocks, 2);
  Run("cd $M; tar -S -cf $S/archive f; mkdir $S/out; tar -xf $S/archive -C $S/out; cmp f $S/out/f");
  Run("cp --sparse=auto $M/f $M/g; cp --sparse=always $M/f $M/h; cmp $M/f $M/g; cmp $M/f $M/h");
}

TEST_F(MountedSpace, ToolsKeepHoles) {
  Run("truncate -s 8M $M/f; printf middle | dd of=$M/f bs=1 seek=4M conv=notrunc status=none");
  Run("cp --sparse=auto $M/f $M/g; cp --reflink=auto $M/f $M/h; cmp $M/f $M/g; cmp $M/f $M/h");
  Run("tar -S -cf archive -C $M f; mkdir $M/out; tar -xf archive -C $M/out; cmp $M/f $M/out/f");
  EXPECT_EQ(Run("du -k $M/f $M/g $M/h $M/out/f | cut -f1 | sort -u"), "4\n");
}

}  // namespace
}  // namespace kvfs::fs
