// A store's disk space is proportional to its contents: while values are overwritten, with little
// free space on the disk, and for small stores.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/store/soundness.h"

namespace kvfs {
namespace {

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;

class SpaceUseTest : public testing::Test {
 protected:
  void Create(CreateOptions options = {}, uint64_t hash_seed = 1) {
    options.hash_seed = hash_seed;
    ASSERT_TRUE(Store::Create(disk_, path_, options));
    Open();
  }
  void Open() {
    store_.reset();
    OpenOptions options;
    options.idle_ms = 0;  // no background work except for space
    auto opened = Store::Open(disk_, path_, options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  static CreateOptions SmallLog() {
    CreateOptions options;
    options.shards = 2;
    options.log_segment_bytes = kMiB;
    options.log_limit_bytes = 16 * kMiB;
    return options;
  }
  uint64_t DiskBytes() {
    const DiskSpace space = disk_.GetDiskSpace(path_).value();
    return space.total_bytes - space.available_bytes;
  }
  uint64_t TreeBytes() const {
    const StoreStats stats = store_->GetStats();
    return stats.disk_bytes - stats.log_file_bytes;
  }
  // The disk's size becomes the space in use plus this.
  void LimitRoomTo(uint64_t bytes) { disk_.SetCapacity(DiskBytes() + bytes); }
  Result<void> WriteAt(std::string_view name, uint64_t offset, const std::string& bytes) {
    Batch batch;
    batch.Write({kRootDirectory, name}, offset, AsBytes(bytes));
    return store_->Apply(batch);
  }

  MemoryEnv disk_;
  std::string path_ = "store";
  std::unique_ptr<Store> store_;
};

// --- with little free disk space ---

// There is room for half of the value: overwritten blocks are dead space, and that suffices.
TEST_F(SpaceUseTest, AValueIsWrittenOverInItsPlaceForEver) {
  Create(SmallLog());
  constexpr uint64_t kSize = 12 * kMiB, kPiece = 128 * kKiB;
  ASSERT_TRUE(store_->Put("file", ""));
  for (uint64_t at = 0; at < kSize; at += kPiece) {
    ASSERT_TRUE(WriteAt("file", at, std::string(kPiece, 'a')));
  }
  ASSERT_TRUE(store_->Checkpoint());
  LimitRoomTo(kSize / 2);
  for (int round = 0; round < 10; ++round) {
    const std::string piece(kPiece, static_cast<char>('b' + round));
    for (uint64_t at = 0; at < kSize; at += kPiece) {
      auto done = WriteAt("file", at, piece);
      ASSERT_TRUE(done) << "round " << round << " at " << at << ": " << done.error().message;
    }
  }
  ExpectSound(*store_);
}

// Space preallocated for one file is available to all others.
TEST_F(SpaceUseTest, WhatOneFileHasReadyIsRoomForAnother) {
  Create(SmallLog());
  ASSERT_TRUE(store_->Put("large", std::string(16 * kMiB, 'x')));
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(store_->Put("large", std::string(16 * kMiB, 'y')));
    ASSERT_TRUE(store_->Checkpoint());
  }
  ASSERT_GT(store_->GetStats().reusable_bytes, 8 * kMiB);
  LimitRoomTo(0);
  // Small enough to be in pages.
  for (int i = 0; i < 4'000; ++i) {
    auto put = store_->Put("small " + std::to_string(i), std::string(1'000, 's'));
    ASSERT_TRUE(put) << i << ": " << put.error().message;
  }
  ExpectSound(*store_);
}

// Even in runs too short for a checkpoint to return them by itself.
TEST_F(SpaceUseTest, ShortRunsOfOneFileAreRoomForAnother) {
  Create(SmallLog());
  constexpr int kValues = 2'000;
  for (int i = 0; i < kValues; ++i) {
    ASSERT_TRUE(store_->Put("large " + std::to_string(i), std::string(12 * kKiB, 'x')));
  }
  ASSERT_TRUE(store_->Checkpoint());
  for (int i = 0; i < kValues; i += 2) ASSERT_TRUE(store_->Erase("large " + std::to_string(i)));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store_->Checkpoint());
  ASSERT_GT(store_->GetStats().reusable_bytes, 8 * kMiB);
  LimitRoomTo(0);
  for (int i = 0; i < 3'000; ++i) {
    auto put = store_->Put("small " + std::to_string(i), std::string(1'000, 's'));
    ASSERT_TRUE(put) << i << ": " << put.error().message;
  }
  ExpectSound(*store_);
}

// Several at once: what one has freed is available to all.
TEST_F(SpaceUseTest, WritersOnAFullDiskGoOnTogether) {
  Create(SmallLog());
  constexpr uint64_t kSize = kMiB;
  const auto name = [](int writer) { return "value " + std::to_string(writer); };
  for (int writer = 0; writer < 4; ++writer) {
    ASSERT_TRUE(store_->Put(name(writer), std::string(kSize, 'a')));
  }
  ASSERT_TRUE(store_->Checkpoint());
  LimitRoomTo(6 * kMiB);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int round = 0; round < 20; ++round) {
        auto put = store_->Put(name(writer), std::string(kSize, static_cast<char>('b' + round)));
        ASSERT_TRUE(put) << "writer " << writer << ": " << put.error().message;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  ExpectSound(*store_);
}

// --- on a large disk ---

struct Overwriting {
  const char* name;
  int keys;
  uint64_t least_bytes, most_bytes;
  int puts;
};
void PrintTo(const Overwriting& how, std::ostream* out) { *out << how.name; }

class OverwritingTest : public SpaceUseTest, public testing::WithParamInterface<Overwriting> {};

TEST_P(OverwritingTest, TakesSpaceInProportion) {
  const Overwriting& how = GetParam();
  Create();
  std::mt19937 random(1);
  std::uniform_int_distribution<uint64_t> size(how.least_bytes, how.most_bytes);
  std::vector<uint64_t> sizes(static_cast<size_t>(how.keys));
  uint64_t live = 0, most_live = 0, peak = 0;
  for (int i = 0; i < how.puts; ++i) {
    const size_t key = i < how.keys ? static_cast<size_t>(i) : random() % sizes.size();
    live -= std::exchange(sizes[key], size(random));
    live += sizes[key];
    most_live = std::max(most_live, live);
    ASSERT_TRUE(store_->Put("key " + std::to_string(key), std::string(sizes[key], 'x')));
    if (i % 16 == 0) peak = std::max(peak, TreeBytes());
  }
  EXPECT_LE(peak, 2 * most_live + 64 * kMiB);
  Open();
  EXPECT_LE(TreeBytes(), live * 3 / 2 + kMiB);
  ExpectSound(*store_);
}

INSTANTIATE_TEST_SUITE_P(Sizes, OverwritingTest,
                         testing::Values(Overwriting{"Blocks", 1'000, 4'096, 4'096, 25'000},
                                         Overwriting{"LargeValues", 20, kMiB, kMiB, 400},
                                         Overwriting{"MixedSizes", 400, 100, 64 * kKiB, 10'000}),
                         [](const auto& how) { return how.param.name; });

// --- small stores, and stores that have become small ---

// Eight shards, all files: two directories and the lock's text add 12 KiB on disk.
TEST_F(SpaceUseTest, TenKeysTakeLittle) {
  constexpr uint64_t kMost = 256 * kKiB - 12 * kKiB;
  Create();
  EXPECT_LE(DiskBytes(), kMost) << "empty";
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(store_->Put("key " + std::to_string(i), "a value of " + std::to_string(i)));
    }
    EXPECT_LE(DiskBytes(), kMost) << "open";
    ASSERT_TRUE(store_->Checkpoint());
    EXPECT_LE(DiskBytes(), kMost) << "after a checkpoint";
    ASSERT_TRUE(store_->Close());
    EXPECT_LE(DiskBytes(), kMost) << "closed";
    Open();
    EXPECT_LE(DiskBytes(), kMost) << "opened";
    ExpectSound(*store_);
  }
}

TEST_F(SpaceUseTest, GrowsInProportion) {
  Create();
  uint64_t live = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string value(static_cast<size_t>(i % 1'000), 'x');
    ASSERT_TRUE(store_->Put("key " + std::to_string(i), value));
    live += value.size() + 20;
    if (i % 100 == 0) {
      // Besides the space for changes, each shard reserves some for deletes on a full disk.
      EXPECT_LE(TreeBytes(), 2 * live + 4 * kMiB) << i;
    }
  }
  Open();
  EXPECT_LE(DiskBytes(), live * 3 / 2 + kMiB);
}

TEST_F(SpaceUseTest, ManyShardsTakeLittle) {
  CreateOptions options;
  options.shards = 256;
  Create(options);
  uint64_t live = 0;
  for (int i = 0; i < 3'000; ++i) {
    const std::string value(static_cast<size_t>(i % 3'000), 'x');
    ASSERT_TRUE(store_->Put("key " + std::to_string(i), value));
    live += value.size();
  }
  EXPECT_LE(TreeBytes(), 8 * live);
  ASSERT_TRUE(store_->Close());
  Open();
  EXPECT_LE(TreeBytes(), 6 * live);
}

// Deletes continue when others have filled the disk, in a store with little reserve: each shard
// holds sometimes less and sometimes more than the head of a page.
class SmallStoreTest : public SpaceUseTest, public testing::WithParamInterface<int> {};

TEST_P(SmallStoreTest, DeletesOnAFullDisk) {
  for (const int keys : {10, 60, 200, 800}) {
    SCOPED_TRACE(keys);
    path_ = "store " + std::to_string(keys);
    store_.reset();
    Create({}, static_cast<uint64_t>(GetParam()));
    for (int i = 0; i < keys; ++i) {
      ASSERT_TRUE(store_->Put("key " + std::to_string(i), "a value of " + std::to_string(i)));
      if (i == keys / 10 || i == keys / 2) {
        ASSERT_TRUE(store_->Checkpoint());
      }
    }
    for (const bool reopens : {false, true}) {
      SCOPED_TRACE(reopens ? "closed and opened" : "open");
      if (reopens) Open();
      LimitRoomTo(0);
      for (int i = reopens ? 0 : keys / 2; i < (reopens ? keys / 2 : keys); ++i) {
        auto erased = store_->Erase("key " + std::to_string(i));
        ASSERT_TRUE(erased) << i << ": " << erased.error().message;
      }
      disk_.SetCapacity(uint64_t{1} << 40);
    }
    EXPECT_EQ(store_->GetStats().entries, 0u);
    ExpectSound(*store_);
  }
}

INSTANTIATE_TEST_SUITE_P(HashSeeds, SmallStoreTest, testing::Range(1, 9));

// Half of the values are erased, here and there: each close punches holes for the longer runs.
TEST_F(SpaceUseTest, ClosingARaggedStoreTakesFewCalls) {
  Create();
  std::mt19937 random(1);
  constexpr int kKeys = 20'000;
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_TRUE(store_->Put("key " + std::to_string(i), std::string(4'096, 'x')));
  }
  ASSERT_TRUE(store_->Checkpoint());
  uint64_t live = 0, erased = 0;
  for (int i = 0; i < kKeys; ++i) {
    if (random() % 2 == 0) {
      ASSERT_TRUE(store_->Erase("key " + std::to_string(i)));
      ++erased;
    } else {
      live += 4'096;
    }
  }
  uint64_t before = disk_.OperationCount();
  ASSERT_TRUE(store_->Close());
  EXPECT_LE(disk_.OperationCount() - before, erased / 4);
  Open();
  EXPECT_LE(TreeBytes(), live * 3 / 2 + kMiB);
  ASSERT_TRUE(store_->Put("one more", "x"));
  before = disk_.OperationCount();
  ASSERT_TRUE(store_->Close());
  EXPECT_LE(disk_.OperationCount() - before, 300u) << "what stays is not given back later, either";
  Open();
  ExpectSound(*store_);
}

// A contiguous run of free space is returned with one call, whatever its length.
TEST_F(SpaceUseTest, ClosingAnEmptiedStoreTakesFewCalls) {
  Create();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(store_->Put("key " + std::to_string(i), std::string(kMiB, 'x')));
  }
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store_->Erase("key " + std::to_string(i)));
  const uint64_t before = disk_.OperationCount();
  ASSERT_TRUE(store_->Close());
  EXPECT_LE(disk_.OperationCount() - before, 300u);
  EXPECT_LE(DiskBytes(), kMiB);
}

}  // namespace
}  // namespace kvfs
