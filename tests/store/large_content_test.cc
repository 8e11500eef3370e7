// Freeing large contents, entirely or in part: its cost (in pieces, records and memory, not in
// time), that other operations continue meanwhile, and that no freed part ever reappears.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include <kvfs/store.h>
#include "store/engine/recovery.h"
#include "store/env/memory_env.h"
#include "store/format/chunk.h"
#include "store/txn/content_editor.h"
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

using format::kChunkBytes;
constexpr Key kLarge{kRootDirectory, "large"};
constexpr uint64_t kMostFreed = ContentEditor::kMostFreedChunks;
constexpr uint64_t kMostMoved = ContentEditor::kMostMovedChunks;
constexpr uint64_t kFreeingRecordBytes = 200;  // a generous bound for an erased record in memory

std::string MarkOf(uint64_t chunk) { return "chunk " + std::to_string(chunk); }

class LargeContent : public testing::Test {
 protected:
  LargeContent() {
    CreateOptions options = SmallStore(2, kPageBytes);
    options.log_limit_bytes = 64 << 20;
    EXPECT_TRUE(Store::Create(disk_, "store", options));
    options_.idle_ms = 0;
    options_.dirty_limit_bytes = 16 << 20;
    Open();
  }

  void Open() { store_ = Store::Open(disk_, "store", options_).value(); }
  void Close() {
    ASSERT_TRUE(store_->Close());
    store_.reset();
  }

  // A content with one block in each of this many chunks.
  void Make(uint64_t chunks) {
    ASSERT_TRUE(store_->Put(kLarge.name, ""));
    for (uint64_t chunk = 0; chunk < chunks;) {
      Batch batch;
      std::vector<std::string> marks(std::min<uint64_t>(500, chunks - chunk));
      for (std::string& mark : marks) {
        mark = MarkOf(chunk);
        batch.Write(kLarge, chunk++ * kChunkBytes, AsBytes(mark));
      }
      ASSERT_TRUE(store_->Apply(batch));
    }
    Batch whole;
    whole.Resize(kLarge, chunks * kChunkBytes);
    ASSERT_TRUE(store_->Apply(whole));
    ASSERT_TRUE(store_->Checkpoint());
  }

  void Resize(uint64_t size) {
    Batch batch;
    batch.Resize(kLarge, size);
    ASSERT_TRUE(store_->Apply(batch));
  }
  void Punch(uint64_t first, uint64_t end) {
    Batch batch;
    batch.Punch(kLarge, first * kChunkBytes, (end - first) * kChunkBytes);
    ASSERT_TRUE(store_->Apply(batch));
  }

  // Chunks [first, end) are as they were written, or all zeros.
  void ExpectChunks(uint64_t first, uint64_t end, bool are_there) {
    for (uint64_t chunk = first; chunk < end; ++chunk) {
      std::string found(MarkOf(chunk).size(), 'x');
      ASSERT_EQ(store_->Read(kLarge, chunk * kChunkBytes, std::as_writable_bytes(std::span(found))),
                found.size());
      const std::string expected = are_there ? MarkOf(chunk) : std::string(found.size(), '\0');
      ASSERT_EQ(found, expected) << chunk;
    }
  }
  uint64_t AllocatedChunks() { return store_->Stat(kLarge)->allocated_bytes / format::kBlockBytes; }
  // Waits until everything has been freed.
  int CheckpointsUntilFreed() {
    int checkpoints = 0;
    while (store_->GetStats().orphaned_contents > 0 && checkpoints < 10000) {
      EXPECT_TRUE(store_->Checkpoint());
      ++checkpoints;
    }
    return checkpoints;
  }
  // The progress of the single orphaned content, from its record.
  static uint64_t FirstLeft(const Shards& shards) {
    for (const auto& shard : shards) {
      std::shared_lock lock(shard->mutex);
      Memtable::Iterator at(shard->now().active.get(), Memtable::kNewest);
      at.Seek({format::kOrphanDirectory, 0, {}});
      if (at.Valid()) return format::DecodeFirstLeft(at.record().value());
    }
    return 0;
  }
  std::unique_ptr<MemoryEnv> DiskOfAKilledProcess() {
    return disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  }
  void ExpectSoundAlsoAfterAReplay() {
    ExpectSound(*store_);
    const auto image = DiskOfAKilledProcess();
    auto replayed = Store::Open(*image, "store", options_).value();
    ASSERT_TRUE(replayed->Checkpoint());
    ExpectSound(*replayed);
    const auto here = store_->Stat(kLarge), there = replayed->Stat(kLarge);
    ASSERT_EQ(here.has_value(), there.has_value());
    if (!here) return;
    EXPECT_EQ(here->size_bytes, there->size_bytes);
    EXPECT_EQ(here->allocated_bytes, there->allocated_bytes);
    std::string mine(100, 'x'), its(100, 'y');
    for (uint64_t at = 0; at < here->size_bytes; at += kChunkBytes) {
      const auto left = store_->Read(kLarge, at, std::as_writable_bytes(std::span(mine)));
      const auto right = replayed->Read(kLarge, at, std::as_writable_bytes(std::span(its)));
      ASSERT_EQ(left.value_or(0), right.value_or(0));
      ASSERT_EQ(mine, its) << at;
    }
  }

  static constexpr uint32_t kPageBytes = 4096;
  MemoryEnv disk_;
  OpenOptions options_;
  std::unique_ptr<Store> store_;
};

TEST_F(LargeContent, ErasingIsOneRecordWhateverItsSize) {
  Make(3000);
  const StoreStats before = store_->GetStats();
  ASSERT_TRUE(store_->Erase(kLarge.name));
  const StoreStats after = store_->GetStats();
  EXPECT_EQ(after.acknowledged_sequence, before.acknowledged_sequence + 1);
  EXPECT_LT(after.log_bytes - before.log_bytes, 200u);
  EXPECT_LT(after.dirty_bytes, before.dirty_bytes + 10'000);
}

// The reclaimer alone: each piece continues where the previous one ended, even in another process,
// and is small.
TEST_F(LargeContent, IsFreedInPiecesThatGoOnWhereTheLastHasEnded) {
  constexpr uint64_t kChunks = 3000, kMostOfAPiece = 200;
  Make(kChunks);
  ASSERT_TRUE(store_->Erase(kLarge.name));
  const auto disk = DiskOfAKilledProcess();
  uint64_t freed = 0;
  for (int life = 0; freed < kChunks; ++life) {
    ASSERT_LT(life, 100);
    auto parts = Recover(*disk, "store", options_, RecoveryMode::kUsual).value();
    auto freed_now = [&] {
      uint64_t waiting = 0;
      for (const auto& shard : parts->shards) waiting += shard->block_allocator().waiting();
      return waiting;
    };
    EXPECT_EQ(freed_now(), freed) << "what was freed before is freed by the replay";
    uint64_t last_bytes = 0;
    int pieces = 0;
    const auto ran = parts->reclaimer->Run([&](uint64_t bytes) {
      // Here each chunk has one block. Before the first piece there is no progress record.
      EXPECT_EQ(FirstLeft(parts->shards), freed_now());
      EXPECT_LE(bytes - last_bytes, kMostOfAPiece * kFreeingRecordBytes);
      EXPECT_LE(freed_now() - freed, kMostOfAPiece);
      EXPECT_TRUE(pieces == 0 || freed_now() > freed) << "each piece frees some";
      last_bytes = bytes;
      freed = freed_now();
      return ++pieces <= 5;
    });
    ASSERT_TRUE(ran);
    freed = freed_now();
    EXPECT_EQ(*ran, freed < kChunks);
  }
  EXPECT_EQ(freed, kChunks);
  const auto store = Store::Open(*disk, "store", options_).value();
  EXPECT_EQ(store->GetStats().orphaned_contents, 0u);
  ASSERT_TRUE(store->Checkpoint());
  ExpectSound(*store);
}

// Between two pieces no lock is held, so other threads can make changes.
TEST_F(LargeContent, OthersGoOnWhileItIsFreed) {
  Make(1000);
  ASSERT_TRUE(store_->Erase(kLarge.name));
  const auto disk = DiskOfAKilledProcess();
  auto parts = Recover(*disk, "store", options_, RecoveryMode::kUsual).value();
  int pieces = 0;
  ASSERT_TRUE(parts->reclaimer->Run([&](uint64_t) {
    const ExclusiveLocks all(parts->shards, AllShards(parts->shards));
    ++pieces;
    return true;
  }));
  EXPECT_GE(pieces, 5);
}

// Others must find room for the checkpoint of what was freed: its ends, not each record.
TEST_F(LargeContent, ItsFreeingClaimsFewPages) {
  constexpr uint64_t kChunks = 20'000;
  Make(kChunks);
  const uint64_t pages = store_->GetStats().page_bytes_used / kPageBytes;
  ASSERT_TRUE(store_->Erase(kLarge.name));
  const auto disk = DiskOfAKilledProcess();
  auto parts = Recover(*disk, "store", options_, RecoveryMode::kUsual).value();
  ASSERT_TRUE(parts->reclaimer->Run([](uint64_t) { return true; }));
  uint64_t claimed = 0;
  for (const auto& shard : parts->shards) {
    const std::unique_lock lock(shard->mutex);
    shard->ReservePages(0, 0, /*grows=*/false);
    claimed += shard->page_allocator().reserved();
  }
  EXPECT_LT(claimed, pages / 2);
}

TEST_F(LargeContent, ItsFreeingTakesAShareOfTheMemoryAndThenACheckpoint) {
  constexpr uint64_t kChunks = 20'000;
  Make(kChunks);
  Close();
  options_.dirty_limit_bytes = 1 << 20;
  Open();
  const uint64_t all = store_->GetStats().block_bytes_used;
  ASSERT_TRUE(store_->Erase(kLarge.name));
  std::vector<uint64_t> used;
  while (store_->GetStats().orphaned_contents > 0) {
    ASSERT_TRUE(store_->Checkpoint());
    const StoreStats stats = store_->GetStats();
    EXPECT_LT(stats.dirty_bytes, options_.dirty_limit_bytes / 2);
    used.push_back(stats.block_bytes_used);
    ASSERT_LT(used.size(), 10'000u);
  }
  // A checkpoint, by this thread or by the store, is taken after an eighth of the memory limit.
  EXPECT_GE(store_->GetStats().checkpoints, 10u);
  EXPECT_TRUE(std::ranges::is_sorted(used, std::greater()));
  EXPECT_LT(used.back(), all / 100);
  ExpectSound(*store_);
}

// Its end is in memory, and its entry is still in the tree.
TEST_F(LargeContent, OneThatIsErasedCannotBeCut) {
  Make(3000);
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_TRUE(store_->Erase(kLarge.name));
  Batch cut;
  cut.Resize(kLarge, 10);
  EXPECT_EQ(store_->Apply(cut).error().code, ErrorCode::kNotFound);
  Batch punch;
  punch.Punch(kLarge, 0, 2000 * kChunkBytes);
  EXPECT_EQ(store_->Apply(punch).error().code, ErrorCode::kNotFound);
}

TEST_F(LargeContent, ManyAreFreedTogether) {
  constexpr int kContents = 300;
  for (int i = 0; i < kContents; ++i) {
    const std::string name = "content " + std::to_string(i);
    ASSERT_TRUE(store_->Put(name, std::string(10 * format::kBlockBytes, 'c')));
  }
  ASSERT_TRUE(store_->Checkpoint());
  for (int i = 0; i < kContents; ++i) ASSERT_TRUE(store_->Erase("content " + std::to_string(i)));
  EXPECT_EQ(store_->GetStats().orphaned_contents, uint64_t{kContents});
  CheckpointsUntilFreed();
  EXPECT_EQ(store_->GetStats().block_bytes_used, 0u);
  ExpectSound(*store_);
}

TEST_F(LargeContent, ACutThatKeepsLittleIsOneStep) {
  Make(3000);
  const StoreStats before = store_->GetStats();
  Resize(100 * kChunkBytes + 10);
  const StoreStats after = store_->GetStats();
  EXPECT_EQ(after.acknowledged_sequence, before.acknowledged_sequence + 1);
  EXPECT_LT(after.dirty_bytes, before.dirty_bytes + 100'000);
  EXPECT_EQ(after.orphaned_contents, 1u);
  EXPECT_EQ(AllocatedChunks(), 100u);  // plus a tail
  // Truncated bytes do not reappear, whether their blocks have been freed or not.
  Resize(3000 * kChunkBytes);
  ExpectChunks(0, 101, true);
  ExpectChunks(101, 3000, false);
  ExpectSoundAlsoAfterAReplay();
  CheckpointsUntilFreed();
  ExpectChunks(0, 101, true);
  ExpectChunks(101, 3000, false);
  ExpectSoundAlsoAfterAReplay();
}

TEST_F(LargeContent, APunchThatKeepsLittleIsOneStep) {
  Make(3000);
  const StoreStats before = store_->GetStats();
  Punch(100, 2900);
  const StoreStats after = store_->GetStats();
  EXPECT_EQ(after.acknowledged_sequence, before.acknowledged_sequence + 1);
  EXPECT_LT(after.dirty_bytes, before.dirty_bytes + 200'000);
  EXPECT_EQ(AllocatedChunks(), 200u);
  ExpectChunks(0, 100, true);
  ExpectChunks(100, 2900, false);
  ExpectChunks(2900, 3000, true);
  ExpectSoundAlsoAfterAReplay();
  CheckpointsUntilFreed();
  ExpectChunks(2900, 3000, true);
  ExpectSoundAlsoAfterAReplay();
}

// Only a part: also the partial blocks at both ends.
TEST_F(LargeContent, APunchOfAllLeavesNothingAndKeepsTheSize) {
  Make(2000);
  Batch batch;
  batch.Punch(kLarge, 5, uint64_t{1} << 62);
  ASSERT_TRUE(store_->Apply(batch));
  std::string begin(10, 'x');
  ASSERT_EQ(store_->Read(kLarge, 0, std::as_writable_bytes(std::span(begin))), 10u);
  EXPECT_EQ(begin, "chunk" + std::string(5, '\0'));
  EXPECT_EQ(AllocatedChunks(), 1u);
  EXPECT_EQ(store_->Stat(kLarge)->size_bytes, 2000 * kChunkBytes);
  ExpectSoundAlsoAfterAReplay();
}

TEST_F(LargeContent, ACutThatKeepsMuchGoesInPartsFromTheEnd) {
  constexpr uint64_t kChunks = 3 * kMostFreed, kKept = kMostMoved + 100;
  Make(kChunks);
  Batch batch;
  batch.Resize(kLarge, kKept * kChunkBytes);
  uint64_t size = kChunks * kChunkBytes;
  int parts = 0;
  for (bool has_more = true; has_more; ++parts) {
    const StoreStats before = store_->GetStats();
    has_more = store_->ApplyPart(batch).value();
    const StoreStats after = store_->GetStats();
    if (!has_more) break;
    EXPECT_EQ(after.acknowledged_sequence, before.acknowledged_sequence + 1);
    EXPECT_LE(after.dirty_bytes, before.dirty_bytes + (kMostFreed + 10) * kFreeingRecordBytes);
    const uint64_t now = store_->Stat(kLarge)->size_bytes;
    EXPECT_LT(now, size);
    EXPECT_GT(now, kKept * kChunkBytes);
    size = now;
    ExpectChunks(size / kChunkBytes - 10, size / kChunkBytes, true);
  }
  EXPECT_EQ(parts, 2);
  ASSERT_TRUE(store_->Apply(batch));
  EXPECT_EQ(store_->Stat(kLarge)->size_bytes, kKept * kChunkBytes);
  Resize(kChunks * kChunkBytes);
  ExpectChunks(0, kKept, true);
  ExpectChunks(kKept, kChunks, false);
  ExpectSoundAlsoAfterAReplay();
}

TEST_F(LargeContent, APunchThatKeepsMuchGoesInParts) {
  constexpr uint64_t kChunks = 3 * kMostFreed, kBegin = 200, kEnd = kChunks - 200;
  Make(kChunks);
  const uint64_t before = store_->GetStats().acknowledged_sequence;
  Punch(kBegin, kEnd);
  EXPECT_EQ(store_->GetStats().acknowledged_sequence, before + 3);
  ExpectChunks(0, kBegin, true);
  ExpectChunks(kBegin, kEnd, false);
  ExpectChunks(kEnd, kChunks, true);
  ExpectSoundAlsoAfterAReplay();
}

TEST_F(LargeContent, AlternateRangesArePunched) {
  constexpr uint64_t kChunks = 2000, kRange = 100;
  Make(kChunks);
  for (uint64_t begin = 0; begin < kChunks; begin += 2 * kRange) Punch(begin, begin + kRange);
  for (uint64_t begin = 0; begin < kChunks; begin += kRange) {
    ExpectChunks(begin, begin + kRange, begin / kRange % 2 == 1);
  }
  ExpectSoundAlsoAfterAReplay();
}

// Nothing is freed in pieces if the batch must be refused.
TEST_F(LargeContent, ABatchWithAConditionIsOneStep) {
  constexpr uint64_t kChunks = 3 * kMostFreed;
  Make(kChunks);
  Batch batch;
  batch.Expect(kLarge, 1);
  batch.Resize(kLarge, kChunks / 2 * kChunkBytes);
  EXPECT_EQ(store_->Apply(batch).error().code, ErrorCode::kConflict);
  EXPECT_EQ(store_->Stat(kLarge)->size_bytes, kChunks * kChunkBytes);
}

TEST_F(LargeContent, ASnapshotKeepsWhatIsFreed) {
  Make(1500);
  {
    const auto snapshot = store_->TakeSnapshot().value();
    ASSERT_TRUE(store_->Erase(kLarge.name));
    CheckpointsUntilFreed();
    std::string found(MarkOf(1234).size(), 'x');
    ASSERT_EQ(snapshot->Read(kLarge, 1234 * kChunkBytes, std::as_writable_bytes(std::span(found))),
              found.size());
    EXPECT_EQ(found, MarkOf(1234));
  }
  ExpectSound(*store_);
}

// The put needs more than one round of freeing provides.
TEST_F(LargeContent, WhatIsLetGoOfOnAFullDiskIsRoomForOthers) {
  Close();
  disk_.SetCapacity(48 << 20);
  options_.dirty_limit_bytes = 1 << 20;
  Open();
  Make(4000);
  Result<void> filled;
  for (int i = 0; filled; ++i) {
    filled = store_->Put("filler " + std::to_string(i), std::string(100'000, 'f'));
    ASSERT_LT(i, 1000);
  }
  ASSERT_EQ(filled.error().code, ErrorCode::kNoSpace);
  ASSERT_TRUE(store_->Erase(kLarge.name));
  const std::string value(12 << 20, 'v');
  const auto put = store_->Put("value", value);
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(store_->Get("value").value(), value);
  ExpectSound(*store_);
}

// The power fails at each operation in turn: either the whole content exists or none of it, and the
// store is sound.
TEST_F(LargeContent, APowerFailureWhileItIsFreedLosesNothing) {
  Make(400);
  ASSERT_TRUE(store_->Put("other", "value"));
  Close();
  options_.dirty_limit_bytes = 64 << 10;
  bool is_over = false;
  for (uint64_t operation = 1; !is_over; operation += 3) {
    auto disk = DiskOfAKilledProcess();
    auto store = Store::Open(*disk, "store", options_).value();
    disk->FailPowerAt(disk->OperationCount() + operation);
    auto erased = store->Erase(kLarge.name);
    for (int i = 0; erased && i < 3; ++i) static_cast<void>(store->Checkpoint());
    is_over = !disk->HasPowerFailed();
    store.reset();
    auto image = disk->CrashImage({CrashChoice::Kind::kTorn, operation});
    auto again = Store::Open(*image, "store", options_).value();
    EXPECT_EQ(again->Get("other").value(), "value");
    ExpectSound(*again);
    for (int i = 0; i < 100 && again->GetStats().orphaned_contents > 0; ++i) {
      ASSERT_TRUE(again->Checkpoint());
    }
    EXPECT_EQ(again->GetStats().orphaned_contents, 0u) << operation;
    ExpectSound(*again);
  }
}

}  // namespace
}  // namespace kvfs
