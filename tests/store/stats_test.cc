// The space statistics of a store add up: live, dead, free and the rest are the disk space of its
// files.
#include <gtest/gtest.h>

#include <kvfs/store.h>
#include "store/env/memory_env.h"

namespace kvfs {
namespace {

constexpr uint64_t kPage = 8192, kBlock = 4096;
constexpr uint64_t kShards = 3;
constexpr uint64_t kSegment = 1 << 20;

class StatsTest : public testing::Test {
 protected:
  StatsTest() {
    CreateOptions create;
    create.shards = kShards;
    create.page_bytes = kPage;
    create.hash_seed = 1;
    create.log_segment_bytes = kSegment;
    create.log_limit_bytes = 64 << 20;
    EXPECT_TRUE(Store::Create(disk_, "store", create));
    Reopen();
  }

  void Reopen() {
    store_.reset();
    OpenOptions open;
    open.idle_ms = 0;  // nothing happens by itself
    store_ = Store::Open(disk_, "store", open).value();
  }
  void Put(int from, int to, size_t size) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(store_->Put("name " + std::to_string(i), std::string(size, 'x')));
    }
  }
  void Erase(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(store_->Erase("name " + std::to_string(i)));
  }
  StoreStats Stats() const { return store_->GetStats(); }

  // All files except the lock and the log's mark, as reported by the disk.
  uint64_t DiskBytes() {
    uint64_t bytes = 0;
    for (const char* directory : {"store", "store/log"}) {
      const auto names = disk_.ListDirectory(directory).value();
      for (const std::string& name : names) {
        if (name == "lock" || name == "mark") continue;
        const auto file = disk_.OpenFile(std::string(directory) + "/" + name);
        if (file) bytes += (*file)->AllocatedBytes().value();
      }
    }
    return bytes;
  }
  // Neither live nor dead nor free: the superblock, the maps, and number 0 of each file.
  static constexpr uint64_t kSuperblock = 4 * kBlock;  // the rest of it is holes
  static constexpr uint64_t kMostMaps = kShards * 4 * kBlock;
  static constexpr uint64_t kNumberZero = kShards * (kPage + kBlock);

  void ExpectAddsUp() {
    const StoreStats stats = Stats();
    const uint64_t named = stats.page_bytes_used + stats.block_bytes_used + stats.dead_bytes +
                           stats.reusable_bytes + stats.log_file_bytes + kSuperblock;
    EXPECT_GE(stats.disk_bytes, named);
    EXPECT_LE(stats.disk_bytes, named + kMostMaps + kNumberZero);
    EXPECT_GE(stats.file_bytes, stats.disk_bytes);
    EXPECT_EQ(stats.disk_bytes, DiskBytes());
    // What exists already, and a segment that a checkpoint may still allocate.
    EXPECT_LE(stats.reserved_bytes, stats.disk_bytes + kSegment);
  }
  // Contents that have blocks.
  uint64_t AllocatedBytes() {
    uint64_t bytes = 0;
    EXPECT_TRUE(store_->List(kRootDirectory, 0, [&](const ListedEntry& entry) {
      const bool has_blocks = entry.size_bytes >= kBlock;
      bytes += has_blocks ? store_->Stat({kRootDirectory, entry.name})->allocated_bytes : 0;
      return true;
    }));
    return bytes;
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
};

TEST_F(StatsTest, AddUpInEveryState) {
  ExpectAddsUp();
  Put(0, 3'000, 500);
  Put(3'000, 3'100, 10'000);
  Put(3'100, 3'110, 200'000);
  ExpectAddsUp();
  ASSERT_TRUE(store_->Checkpoint());
  ExpectAddsUp();
  auto snapshot = store_->TakeSnapshot().value();
  Erase(500, 3'050);
  ExpectAddsUp();
  ASSERT_TRUE(store_->Checkpoint());
  ExpectAddsUp();  // the snapshot's pages are dead space
  snapshot.reset();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_->Checkpoint());
    ExpectAddsUp();
  }
  ASSERT_TRUE(store_->Compact());
  ExpectAddsUp();
}

TEST_F(StatsTest, LiveBlocksAreThoseOfTheEntries) {
  Put(0, 50, 100);
  Put(50, 80, 10'000);
  Put(80, 90, 200'000);
  EXPECT_EQ(Stats().block_bytes_used, AllocatedBytes());
  ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(Stats().block_bytes_used, AllocatedBytes());
  Erase(60, 85);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(Stats().block_bytes_used, AllocatedBytes());
  Reopen();
  EXPECT_EQ(Stats().block_bytes_used, AllocatedBytes());
  EXPECT_EQ(Stats().entries, 65u);
}

TEST_F(StatsTest, WhatIsErasedIsDeadThenFreeThenUsedAgain) {
  Put(0, 50, 10'000);
  ASSERT_TRUE(store_->Checkpoint());
  const StoreStats live = Stats();
  auto snapshot = store_->TakeSnapshot().value();
  Erase(0, 50);
  ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(Stats().block_bytes_used, 0u);
  EXPECT_GE(Stats().dead_bytes, live.block_bytes_used) << "the snapshot needs it";
  EXPECT_EQ(Stats().snapshots, 1u);
  const auto trees = [](const StoreStats& stats) {
    return stats.disk_bytes - stats.log_file_bytes;
  };
  const StoreStats held = Stats();
  snapshot.reset();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store_->Checkpoint());
  const StoreStats free = Stats();
  EXPECT_LT(free.dead_bytes, live.block_bytes_used / 10);
  EXPECT_GE(free.reusable_bytes + trees(held) - trees(free), live.block_bytes_used)
      << "it is ready, or was given back to the disk";
  Put(0, 50, 10'000);
  EXPECT_LE(trees(Stats()), trees(held) + kShards * 32 * kBlock) << "it is used again";
}

TEST_F(StatsTest, LargeContentsAreCountedUntilTheyAreFreed) {
  Put(0, 1, 3'000'000);
  ASSERT_TRUE(store_->Checkpoint());
  auto snapshot = store_->TakeSnapshot().value();  // prevents reclaiming
  Erase(0, 1);
  EXPECT_EQ(Stats().orphaned_contents, 1u);
  EXPECT_EQ(Stats().entries, 0u);
  snapshot.reset();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(Stats().orphaned_contents, 0u);
  EXPECT_EQ(Stats().block_bytes_used, 0u);
}

TEST_F(StatsTest, DirtyBytesWaitForACheckpoint) {
  EXPECT_EQ(Stats().dirty_bytes, 0u);
  Put(0, 100, 1'000);
  EXPECT_GT(Stats().dirty_bytes, 100u * 1'000);
  EXPECT_GT(Stats().log_bytes, 100u * 1'000);
  ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(Stats().dirty_bytes, 0u);
  EXPECT_EQ(Stats().log_bytes, 0u);
}

}  // namespace
}  // namespace kvfs
