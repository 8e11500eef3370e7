// A compaction makes a store dense and returns free space to the disk, while readers, writers and
// snapshots continue; and a store becomes small again when it is emptied.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/store/model.h"
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kShards = 2;
constexpr DirectoryId kOtherDirectory = 100;  // a directory that ReadStore reads

class CompactTest : public testing::Test {
 protected:
  CompactTest() { store_ = NewStore("store"); }

  std::unique_ptr<Store> NewStore(const std::string& path) {
    CreateOptions create = SmallStore(kShards, kPage);
    create.log_limit_bytes = 8 << 20;
    EXPECT_TRUE(Store::Create(disk_, path, create));
    OpenOptions open;
    open.idle_ms = 0;  // no background work
    return Store::Open(disk_, path, open).value();
  }

  // The process dies, and another one opens the store.
  std::unique_ptr<Store> Kill(std::unique_ptr<MemoryEnv>* disk) {
    *disk = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
    return Store::Open(**disk, "store").value();
  }

  static std::string NameOf(int i) { return "name " + std::to_string(i); }
  // Three in four are in leaves, the others in blocks.
  static std::string ContentOf(int i, int round = 0) {
    return std::string(i % 4 == 0 ? 6'000 : 100, static_cast<char>('a' + (i + round) % 26));
  }
  static void PutInto(Store& store, Model* model, int i, int round = 0) {
    const DirectoryId directory = i % 2 == 0 ? kRootDirectory : kOtherDirectory;
    const std::string name = NameOf(i), content = ContentOf(i, round);
    Batch batch;
    batch.Put({directory, name}, AsBytes(content), "meta");
    ASSERT_TRUE(store.Apply(batch));
    (*model)[{directory, name}] = {content, "meta"};
  }
  void Put(int from, int to) {
    for (int i = from; i < to; ++i) PutInto(*store_, &model_, i);
  }
  void Erase(const Model::key_type& key) {
    Batch batch;
    batch.Erase({key.first, key.second});
    ASSERT_TRUE(store_->Apply(batch));
    model_.erase(key);
  }
  // Erases all but one in about `keeps`.
  void EraseAtRandom(unsigned keeps) {
    std::mt19937 random(5);
    const Model before = model_;
    for (const auto& [key, entry] : before) {
      if (keeps == 0 || random() % keeps != 0) Erase(key);
    }
  }
  // Waits until all orphaned contents have been freed.
  void Settle() {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(store_->Checkpoint());
  }
  void ExpectSame() {
    const auto held = ReadStore(*store_);
    ASSERT_TRUE(held) << held.error().message;
    EXPECT_EQ(Difference(model_, *held), "");
    ExpectSound(*store_);
  }
  StoreStats Stats() const { return store_->GetStats(); }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  Model model_;
};

TEST_F(CompactTest, IsAsDenseAsAStoreThatHeldNothingElse) {
  Put(0, 3'000);
  ASSERT_TRUE(store_->Checkpoint());
  EraseAtRandom(5);
  Settle();
  const uint64_t sparse = Stats().page_bytes_used;
  ASSERT_TRUE(store_->Compact());
  const auto other = NewStore("other");
  Model ignored;
  for (const auto& [key, entry] : model_)
    PutInto(*other, &ignored, std::stoi(key.second.substr(5)));
  ASSERT_TRUE(other->Compact());
  EXPECT_LE(Stats().page_bytes_used, other->GetStats().page_bytes_used + kShards * kPage);
  EXPECT_LT(Stats().page_bytes_used, sparse);
  EXPECT_EQ(Stats().block_bytes_used, other->GetStats().block_bytes_used);
  ExpectSame();
}

// The size of the records, a tenth more, and a last page that is not full.
TEST_F(CompactTest, FillsItsPages) {
  for (int i = 1; i < 4'000; i += 4) Put(i, i + 1);
  ASSERT_TRUE(store_->Compact());
  uint64_t bytes = 0;
  for (const auto& [key, entry] : model_) {
    bytes += key.second.size() + entry.content.size() + entry.meta.size() + 16;
  }
  EXPECT_LE(Stats().page_bytes_used, bytes * 11 / 10 + kShards * kPage);
}

TEST_F(CompactTest, GivesTheRestBackToTheDisk) {
  Put(0, 4'000);
  ASSERT_TRUE(store_->Checkpoint());
  EraseAtRandom(10);
  Settle();
  const StoreStats before = Stats();
  ASSERT_TRUE(store_->Compact());
  const StoreStats after = Stats();
  const uint64_t trees_before = before.disk_bytes - before.log_file_bytes;
  const uint64_t trees_after = after.disk_bytes - after.log_file_bytes;
  EXPECT_LT(trees_after, trees_before / 2);
  EXPECT_LE(after.reusable_bytes, kShards * 64 * kPage) << "deletes find room on a full disk";
  ExpectSame();
}

// A process that died knew which parts of its files were free; the next one must find them.
TEST_F(CompactTest, GivesBackWhatAKilledProcessHasLeft) {
  Put(0, 4'000);
  ASSERT_TRUE(store_->Checkpoint());
  EraseAtRandom(10);
  Settle();
  const auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  auto reopened = Store::Open(*image, "store").value();
  ASSERT_TRUE(reopened->Compact());
  ASSERT_TRUE(store_->Compact());
  const auto trees = [](const StoreStats& stats) {
    return stats.disk_bytes - stats.log_file_bytes;
  };
  EXPECT_LE(trees(reopened->GetStats()), trees(Stats()) + kShards * 4 * 64 * kPage);
  EXPECT_EQ(Difference(model_, ReadStore(*reopened).value()), "");
  ExpectSound(*reopened);
  reopened.reset();  // must be destroyed before its disk
}

TEST_F(CompactTest, AnEmptiedStoreIsSmall) {
  const uint64_t empty = Stats().disk_bytes - Stats().log_file_bytes;
  Put(0, 4'000);
  ASSERT_TRUE(store_->Checkpoint());
  EraseAtRandom(0);
  ASSERT_TRUE(model_.empty());
  Settle();
  ASSERT_TRUE(store_->Compact());
  EXPECT_EQ(Stats().page_bytes_used, 0u);
  EXPECT_EQ(Stats().block_bytes_used, 0u);
  // The allocation maps, and the words of numbers that contain them.
  EXPECT_LE(Stats().disk_bytes - Stats().log_file_bytes, empty + kShards * 4 * 64 * kPage);
  ExpectSame();
}

TEST_F(CompactTest, SnapshotsStayRight) {
  Put(0, 1'000);
  const auto early = store_->TakeSnapshot().value();
  const Model at_early = model_;
  ASSERT_TRUE(store_->Checkpoint());
  EraseAtRandom(3);
  const auto late = store_->TakeSnapshot().value();
  const Model at_late = model_;
  ASSERT_TRUE(store_->Compact());
  Put(2'000, 3'000);
  ASSERT_TRUE(store_->Compact());
  EXPECT_EQ(Difference(at_early, ReadStore(*early).value()), "");
  EXPECT_EQ(Difference(at_late, ReadStore(*late).value()), "");
  ExpectSame();
}

TEST_F(CompactTest, WhatASnapshotHeldIsGivenBackWithTheNext) {
  Put(0, 1'000);
  ASSERT_TRUE(store_->Checkpoint());
  auto snapshot = store_->TakeSnapshot().value();
  EraseAtRandom(0);
  ASSERT_TRUE(store_->Compact());
  const StoreStats held = Stats();
  EXPECT_GT(held.dead_bytes, 100u * kPage);
  snapshot.reset();
  Settle();
  ASSERT_TRUE(store_->Compact());
  EXPECT_LT(Stats().dead_bytes, 10 * kPage);
  EXPECT_LT(Stats().disk_bytes, held.disk_bytes);
}

// One thread puts values and reads them back, while others compact.
TEST_F(CompactTest, ReadersAndWritersGoOn) {
  Put(0, 1'000);
  EraseAtRandom(3);
  std::atomic<bool> stops = false;
  std::thread compacts([&] {
    while (!stops) EXPECT_TRUE(store_->Compact());
  });
  for (int i = 0; i < 1'500; ++i) {
    PutInto(*store_, &model_, i % 700, i);
    const DirectoryId directory = i % 700 % 2 == 0 ? kRootDirectory : kOtherDirectory;
    const auto info = store_->Stat({directory, NameOf(i % 700)});
    EXPECT_TRUE(info && info->size_bytes == ContentOf(i % 700).size());
    if (i % 50 == 0) std::this_thread::yield();
  }
  stops = true;
  compacts.join();
  ExpectSame();
}

TEST_F(CompactTest, ReopensAsItWas) {
  Put(0, 1'000);
  EraseAtRandom(3);
  ASSERT_TRUE(store_->Compact());
  const auto image = disk_.CrashImage({CrashChoice::Kind::kNone, 0});
  auto reopened = Store::Open(*image, "store").value();
  EXPECT_EQ(Difference(model_, ReadStore(*reopened).value()), "");
  EXPECT_EQ(reopened->GetStats().replayed_records, 0u);
  ExpectSound(*reopened);
  reopened.reset();  // must be destroyed before its disk
}

TEST_F(CompactTest, WithoutRoomItIsRefusedAndNothingIsLost) {
  Put(0, 3'000);
  ASSERT_TRUE(store_->Compact());
  const DiskSpace space = disk_.GetDiskSpace("store").value();
  disk_.SetCapacity(space.total_bytes - space.available_bytes);
  const auto refused = store_->Compact();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace) << refused.error().message;
  ExpectSame();
  disk_.SetCapacity(uint64_t{1} << 30);
  EXPECT_TRUE(store_->Compact());
  ExpectSame();
}

// The same without a compaction, if the store is idle for long enough.
TEST_F(CompactTest, WhatADeadProcessHadReservedGoesBack) {
  // Too little for an automatic checkpoint, which would return it.
  const std::string large(10 << 20, 'x');
  ASSERT_TRUE(store_->Put("large", large));
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_TRUE(store_->Put("large", large));
  ASSERT_TRUE(store_->Checkpoint());
  std::unique_ptr<MemoryEnv> disk;
  auto store = Kill(&disk);
  EXPECT_GT(store->GetStats().disk_bytes, 2 * large.size()) << "nothing is to be given back";
  ASSERT_TRUE(store->Close());
  store = Store::Open(*disk, "store").value();
  EXPECT_LT(store->GetStats().disk_bytes, large.size() + (6 << 20));
  ExpectSound(*store);
}

}  // namespace
}  // namespace kvfs
