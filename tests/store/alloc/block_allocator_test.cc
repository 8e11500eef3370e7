// The allocation map compared with sets of numbers: through random reservations, allocations,
// frees, checkpoints and reopenings it never allocates a number that is in use or pinned, leaks
// none, and fails when the disk is full.
#include "store/alloc/block_allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "store/alloc/allocator_writer.h"
#include "store/env/memory_env.h"

namespace kvfs {
namespace {

constexpr uint32_t kUnit = 4096;
constexpr uint64_t kWord = 64;  // numbers that are backed as a unit

using Numbers = std::vector<uint64_t>;

std::vector<Run> RunsOf(const Numbers& numbers) {
  std::vector<Run> runs;
  for (const uint64_t number : numbers) {
    const bool goes_on = !runs.empty() && runs.back().first + runs.back().count == number;
    if (goes_on) {
      ++runs.back().count;
    } else {
      runs.push_back({number, 1});
    }
  }
  return runs;
}

bool Overlap(const Numbers& a, const Numbers& b) {
  const std::set<uint64_t> set(a.begin(), a.end());
  return std::ranges::any_of(b, [&](uint64_t number) { return set.contains(number); });
}

// A file of pages and its map, which is stored in a file of blocks that has a map, too.
class BlockAllocatorTest : public testing::Test {
 protected:
  BlockAllocatorTest()
      : file_(env_.CreateFile("pages").value()),
        block_file_(env_.CreateFile("blocks").value()),
        store_(block_file_.get(), 7, /*read_only=*/false) {
    Open();
  }

  // The state in the last checkpoint.
  void Open() {
    map_ = std::make_unique<BlockAllocator>(file_.get(), kUnit, &store_, root_, used_);
    blocks_ = std::make_unique<BlockAllocator>(block_file_.get(), format::kBlockBytes, &store_,
                                               block_root_, blocks_used_);
  }

  // Writes the maps with all changes so far.
  Result<void> Write() {
    map_->CloseEpoch();
    blocks_->CloseEpoch();
    AllocatorWriter writer(map_.get(), blocks_.get(), &store_);
    KVFS_TRY(writer.Prepare());
    KVFS_TRY(writer.Write());
    root_ = map_->root();
    used_ = map_->settled_used();
    block_root_ = blocks_->root();
    blocks_used_ = blocks_->settled_used();
    return {};
  }
  void Finish() {
    ++epoch_;
    for (BlockAllocator* map : {map_.get(), blocks_.get()}) {
      map->CheckpointDurable(epoch_);
      map->FreeUpTo(epoch_);
    }
  }
  void Checkpoint() {
    const auto written = Write();
    ASSERT_TRUE(written) << written.error().message;
    Finish();
  }

  Numbers PinPreallocated(uint64_t count) {
    Numbers numbers;
    while (numbers.size() < count) {
      const auto run = map_->Pin(count - numbers.size());
      if (run.count == 0) break;
      for (uint64_t i = 0; i < run.count; ++i) numbers.push_back(run.first + i);
    }
    return numbers;
  }
  Numbers Pin(uint64_t count) {
    EXPECT_TRUE(map_->Preallocate(count));
    Numbers numbers = PinPreallocated(count);
    EXPECT_EQ(numbers.size(), count);
    return numbers;
  }
  Numbers Allocate(uint64_t count) {
    const Numbers numbers = Pin(count);
    for (const auto& run : RunsOf(numbers)) map_->Allocate(run);
    return numbers;
  }
  void Unpin(const Numbers& numbers) {
    for (const auto& run : RunsOf(numbers)) map_->Unpin(run);
  }
  void FreeLater(const Numbers& numbers) {
    for (const uint64_t number : numbers) map_->FreeLater(number);
  }
  // Numbers that the map on disk records as used.
  std::set<uint64_t> Recorded() {
    BlockAllocator map(file_.get(), kUnit, &store_, root_, used_);
    std::set<uint64_t> numbers;
    std::array<std::byte, format::kBlockBytes> bytes;
    for (uint64_t index = 0; index < 3; ++index) {
      EXPECT_TRUE(map.LoadBitmap(index).value());
      map.CopyBitmap(index, bytes);
      for (uint64_t i = 0; i < kMapNumbers; ++i) {
        const bool is_used = (static_cast<unsigned>(bytes[i / 8]) >> i % 8 & 1) != 0;
        if (is_used) numbers.insert(index * kMapNumbers + i);
      }
    }
    return numbers;
  }
  uint64_t PageBytes() { return file_->AllocatedBytes().value(); }

  uint64_t UsedBytes() { return PageBytes() + block_file_->AllocatedBytes().value(); }

  MemoryEnv env_;
  std::unique_ptr<File> file_, block_file_;
  BlockFile store_;
  format::MapRoot root_, block_root_;
  uint64_t used_ = 0, blocks_used_ = 0;
  uint64_t epoch_ = 1;
  std::unique_ptr<BlockAllocator> map_, blocks_;
};

TEST_F(BlockAllocatorTest, GivesLowestNumbersFirstAndNeverZero) {
  EXPECT_EQ(Allocate(3), (Numbers{1, 2, 3}));
  EXPECT_EQ(map_->used(), 3u);
}

// Even if a forged bitmap records it as used, and it is freed.
TEST_F(BlockAllocatorTest, FreesNumberZeroNever) {
  std::vector<std::byte> bitmap(format::kBlockBytes);
  bitmap[0] = std::byte{0xff};
  ASSERT_TRUE(store_.Write(20, bitmap));
  root_ = {{20, store_.ChecksumOf(bitmap)}, 1, 1};
  used_ = 8;
  ASSERT_TRUE(file_->Allocate(0, kWord * kUnit));
  Open();
  FreeLater({0, 5});
  Checkpoint();
  EXPECT_EQ(Pin(1), Numbers{5});
}

TEST_F(BlockAllocatorTest, BacksWhatItGives) {
  const auto numbers = Allocate(1000);
  EXPECT_GE(file_->SizeBytes().value(), (numbers.back() + 1) * kUnit);
  EXPECT_GE(PageBytes(), 1000u * kUnit);
}

TEST_F(BlockAllocatorTest, GivesRunsWhereThereAreSome) {
  const auto numbers = Allocate(200);
  Checkpoint();
  FreeLater({numbers.begin() + 50, numbers.begin() + 60});
  FreeLater({numbers.begin() + 80, numbers.begin() + 120});
  Checkpoint();
  const auto run = map_->Pin(30);
  EXPECT_EQ(run.count, 30u);
  EXPECT_EQ(run.first, numbers[80]) << "the first run that is long enough, over a word's border";
}

TEST_F(BlockAllocatorTest, FreedNumbersWaitForTheEpochsCheckpoint) {
  const auto first = Allocate(100);
  Checkpoint();
  FreeLater(first);
  EXPECT_FALSE(Overlap(first, Allocate(100))) << "the open epoch";
  ASSERT_TRUE(Write());
  EXPECT_FALSE(Overlap(first, Allocate(100))) << "its checkpoint is not durable";
  Finish();
  EXPECT_TRUE(Overlap(first, Allocate(100)));
}

TEST_F(BlockAllocatorTest, FreedNumbersWaitForReaders) {
  const auto first = Allocate(100);
  Checkpoint();
  FreeLater(first);
  ASSERT_TRUE(Write());
  map_->CheckpointDurable(7);
  map_->FreeUpTo(6);
  EXPECT_EQ(map_->waiting(), 100u);
  EXPECT_FALSE(Overlap(first, Allocate(100)));
  map_->FreeUpTo(7);
  EXPECT_EQ(map_->waiting(), 0u);
  EXPECT_TRUE(Overlap(first, Allocate(100)));
}

TEST_F(BlockAllocatorTest, FreedNumbersAreRecordedAsFreeAtOnce) {
  const auto numbers = Allocate(10);
  Checkpoint();
  EXPECT_EQ(Recorded().size(), 10u);
  FreeLater({numbers[3]});
  ASSERT_TRUE(Write());
  EXPECT_EQ(Recorded().size(), 9u);
  EXPECT_FALSE(Recorded().contains(numbers[3]));
}

TEST_F(BlockAllocatorTest, WhatAnEpochTakesTheOneBeforeDoesNotRecord) {
  const auto first = Allocate(5);
  map_->CloseEpoch();
  const auto second = Allocate(5);
  blocks_->CloseEpoch();
  AllocatorWriter writer(map_.get(), blocks_.get(), &store_);
  ASSERT_TRUE(writer.Prepare());
  ASSERT_TRUE(writer.Write());
  root_ = map_->root();
  EXPECT_EQ(Recorded(), std::set<uint64_t>(first.begin(), first.end()));
}

TEST_F(BlockAllocatorTest, HeldNumbersAreNeitherGivenOutNorRecorded) {
  const auto held = Pin(50);
  EXPECT_FALSE(Overlap(held, Allocate(200)));
  EXPECT_EQ(map_->used(), 200u);
  EXPECT_EQ(map_->pinned(), 50u);
  Checkpoint();
  for (const uint64_t number : held) EXPECT_FALSE(Recorded().contains(number));
  Unpin(held);
  EXPECT_EQ(map_->pinned(), 0u);
  EXPECT_TRUE(Overlap(held, Allocate(50)));
}

TEST_F(BlockAllocatorTest, ARecoveryMarksNumbersThatItHasNotSeenYet) {
  const Numbers marked = {5, 70, kMapNumbers + 1};
  for (const uint64_t number : marked) ASSERT_TRUE(map_->Mark(number));
  for (const uint64_t number : marked) ASSERT_TRUE(map_->Mark(number)) << "again: nothing happens";
  EXPECT_EQ(map_->used(), 3u);
  EXPECT_FALSE(Overlap(Allocate(5000), marked));
  Checkpoint();
  for (const uint64_t number : marked) EXPECT_TRUE(Recorded().contains(number));
}

TEST_F(BlockAllocatorTest, ReopensWithWhatWasRecorded) {
  const auto numbers = Allocate(300);
  Checkpoint();
  Open();
  EXPECT_EQ(map_->used(), 300u);
  EXPECT_FALSE(Overlap(numbers, Allocate(300)));
}

TEST_F(BlockAllocatorTest, HasAsManyLevelsAsItNeeds) {
  Checkpoint();
  EXPECT_EQ(root_.levels, 0) << "nothing is used";
  for (const auto& [number, levels] : {std::pair<uint64_t, int>{100, 1},
                                       {2 * kMapNumbers + 1, 2},
                                       {kMapFanout * kMapNumbers, 3},
                                       {kMapFanout * kMapFanout * kMapNumbers, 4}}) {
    ASSERT_TRUE(map_->Mark(number));
    Checkpoint();
    EXPECT_EQ(root_.levels, levels) << number;
    Open();
    ASSERT_TRUE(map_->Mark(number)) << "which is used already";
    EXPECT_EQ(map_->used(), used_);
  }
  EXPECT_EQ(used_, 4u);
  EXPECT_EQ(root_.blocks, 4u + 3u + 2u + 1u) << "bitmaps, and the rows above them";
}

TEST_F(BlockAllocatorTest, TheBlocksOfTheMapsAreUsedThemselves) {
  Allocate(10);
  Checkpoint();
  EXPECT_EQ(blocks_used_, root_.blocks + block_root_.blocks);
  for (int round = 0; round < 20; ++round) {
    Allocate(1);
    Checkpoint();
    EXPECT_EQ(blocks_used_, root_.blocks + block_root_.blocks);
  }
}

TEST_F(BlockAllocatorTest, GivesNothingOutOfADamagedBitmap) {
  const auto numbers = Allocate(100);
  Checkpoint();
  ASSERT_TRUE(block_file_->Write(root_.root.number * kUnit, AsBytes("damage")));
  // Blocks that were verified before are not verified again by this process.
  BlockFile anew(block_file_.get(), 7, false);
  BlockAllocator map(file_.get(), kUnit, &anew, root_, used_);
  const auto reserved = map.Preallocate(100);
  ASSERT_TRUE(reserved) << reserved.error().message;
  EXPECT_GE(map.Pin(100).first, kMapNumbers);
  map.FreeLater(numbers[5]);
  map.CloseEpoch();
  const auto bitmaps = map.LoadClosed();
  ASSERT_TRUE(bitmaps);
  EXPECT_TRUE(bitmaps->empty());
  map.Settle();
  EXPECT_EQ(map.settled_used(), 100u) << "what is freed there stays lost";
}

TEST_F(BlockAllocatorTest, AFullDiskIsAnErrorAndLeavesTheMapUsable) {
  Checkpoint();
  env_.SetCapacity(1 << 20);
  EXPECT_EQ(map_->Preallocate(10'000).error().code, ErrorCode::kNoSpace);
  EXPECT_LE(map_->preallocated(), kWord) << "what was got in vain goes back to the disk";
  // The whole disk can be used, in units of words.
  EXPECT_TRUE(map_->Preallocate(256 - 2 * kWord));
  env_.SetCapacity(2 << 20);
  const auto numbers = Allocate(map_->preallocated());
  Checkpoint();
  ASSERT_TRUE(blocks_->Preallocate(map_->MapBlocks() + blocks_->MapBlocks())) << "as a shard does";
  env_.SetCapacity(0);
  EXPECT_EQ(map_->Preallocate(1).error().code, ErrorCode::kNoSpace);
  FreeLater(numbers);
  Checkpoint();
  EXPECT_TRUE(map_->Preallocate(100)) << "what was freed is there again";
}

// Pages of 16 KiB with little content: 4 KiB of each are written, and the rest reads as zeros,
// whatever was there.
TEST_F(BlockAllocatorTest, BacksOnlyHeadsWhereTheyAreEnough) {
  constexpr uint32_t kPage = 4 * kUnit;
  BlockAllocator map(file_.get(), kPage, &store_, {}, 0);
  ASSERT_TRUE(file_->Write(0, std::vector<std::byte>(2 * kPage, std::byte{7})));
  map.UseHeads(true);
  ASSERT_TRUE(map.Preallocate(4));
  EXPECT_EQ(PageBytes(), kPage + 4 * kUnit) << "number 0 is nobody's";
  EXPECT_EQ(map.Pin(4).count, 4u);
  std::vector<std::byte> rest(kPage - kUnit);
  ASSERT_TRUE(file_->Read(kPage + kUnit, rest));
  EXPECT_EQ(std::ranges::count(rest, std::byte{0}), std::ssize(rest));
  EXPECT_TRUE(map.HasHeadOnly(1));
  EXPECT_GE(file_->SizeBytes().value(), 5 * kPage);
}

// A full disk has room for the head of a page that an earlier process had backed.
TEST_F(BlockAllocatorTest, FindsHeadsAgainOnAFullDisk) {
  constexpr uint32_t kPage = 4 * kUnit;
  {
    BlockAllocator map(file_.get(), kPage, &store_, {}, 0);
    map.UseHeads(true);
    ASSERT_TRUE(map.Preallocate(3));
  }
  env_.SetCapacity(UsedBytes());
  BlockAllocator map(file_.get(), kPage, &store_, {}, 0);
  map.UseHeads(true);
  EXPECT_TRUE(map.Preallocate(3));
  EXPECT_EQ(map.Preallocate(4).error().code, ErrorCode::kNoSpace);
  map.UseHeads(false);
  EXPECT_EQ(map.preallocated(), 0u);
  EXPECT_EQ(map.Preallocate(1).error().code, ErrorCode::kNoSpace) << "of whole pages there is none";
}

TEST_F(BlockAllocatorTest, WithoutRoomForItsMapsACheckpointChangesNothing) {
  const auto numbers = Allocate(100);
  env_.SetCapacity(0);
  EXPECT_EQ(Write().error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(map_->used(), 100u);
  EXPECT_EQ(blocks_->pinned(), 0u);
  EXPECT_EQ(blocks_->used(), 0u);
  env_.SetCapacity(1 << 30);
  Checkpoint();
  EXPECT_EQ(Recorded(), std::set<uint64_t>(numbers.begin(), numbers.end()));
}

// Each of many bitmaps changes, and the only free space is preallocated.
TEST_F(BlockAllocatorTest, ACheckpointNeedsNoMoreBlocksThanItIsSaidTo) {
  constexpr uint64_t kBitmaps = 300;  // more than the pointers in a block of the next level
  ASSERT_TRUE(file_->Write(kBitmaps * kMapNumbers * kUnit - 1, AsBytes("x")));
  Open();
  for (uint64_t i = 0; i < kBitmaps; ++i) ASSERT_TRUE(map_->Mark(i * kMapNumbers + 5));
  Checkpoint();
  const uint64_t most = map_->MapBlocks() + blocks_->MapBlocks();
  EXPECT_LT(most, kBitmaps + 20);
  ASSERT_TRUE(blocks_->Preallocate(most));
  while (blocks_->preallocated() > most) blocks_->Pin(blocks_->preallocated() - most);
  env_.SetCapacity(0);
  for (uint64_t i = 0; i < kBitmaps; ++i) map_->FreeLater(i * kMapNumbers + 5);
  Checkpoint();
  EXPECT_EQ(map_->settled_used(), 0u);
}

TEST_F(BlockAllocatorTest, FreeNumbersGoBackToTheDisk) {
  const auto numbers = Allocate(1000);
  Checkpoint();
  FreeLater({numbers.begin() + 100, numbers.end()});
  Checkpoint();
  map_->Trim(/*spare=*/0, /*run=*/1);
  EXPECT_LE(PageBytes(), 101u * kUnit);
  EXPECT_EQ(file_->SizeBytes().value(), (numbers[99] + 1) * kUnit) << "the end is cut off";
  EXPECT_EQ(map_->preallocated(), 0u);
  EXPECT_FALSE(Overlap(Allocate(800), {numbers.begin(), numbers.begin() + 100})) << "backed anew";
  EXPECT_GE(PageBytes(), 900u * kUnit);
}

TEST_F(BlockAllocatorTest, WhatIsHeldKeepsItsPlaceInTheFile) {
  const auto held = Pin(300);
  map_->Trim(0, 1);
  EXPECT_GE(file_->SizeBytes().value(), (held.back() + 1) * kUnit);
  EXPECT_GE(PageBytes(), 300u * kUnit);
}

TEST_F(BlockAllocatorTest, SpareNumbersStayBacked) {
  const auto numbers = Allocate(1000);
  Checkpoint();
  FreeLater(numbers);
  Checkpoint();
  map_->Trim(/*spare=*/500, /*run=*/1);
  EXPECT_GE(map_->preallocated(), 500u);
  EXPECT_LT(map_->preallocated(), 500u + kWord);
}

TEST_F(BlockAllocatorTest, WhatIsClaimedStaysBacked) {
  const auto numbers = Allocate(1000);
  Checkpoint();
  FreeLater(numbers);
  Checkpoint();
  map_->Reserve(500);
  ASSERT_TRUE(map_->HasPreallocated(500));
  map_->Trim(/*spare=*/0, /*run=*/1);
  EXPECT_GE(map_->preallocated(), 500u);
  EXPECT_LT(map_->preallocated(), 500u + kWord);
  EXPECT_FALSE(map_->HasPreallocated(1000));
}

// On a disk that does not report which blocks are backed, trimming finds what an earlier process
// left, and takes no disk space that another file may need.
TEST_F(BlockAllocatorTest, WhatIsClaimedIsFoundAndNotTaken) {
  const auto numbers = Allocate(400);
  Checkpoint();
  FreeLater({numbers.begin(), numbers.begin() + 300});
  Checkpoint();
  map_->Trim(100, 1);
  EXPECT_EQ(map_->preallocated(), 100u);
  const uint64_t before = PageBytes();
  env_.SetTellsBackedParts(false);
  Open();
  map_->Reserve(150);
  map_->Trim(0, 1);
  EXPECT_EQ(map_->preallocated(), 100u);
  EXPECT_EQ(PageBytes(), before);
}

TEST_F(BlockAllocatorTest, ShortRunsStayWhereLongOnesAreAsked) {
  const auto numbers = Allocate(600);
  Checkpoint();
  for (size_t i = 0; i < 256; i += 8) FreeLater({numbers.begin() + i, numbers.begin() + i + 4});
  FreeLater({numbers.begin() + 300, numbers.begin() + 400});
  Checkpoint();
  const uint64_t before = PageBytes();
  map_->Trim(/*spare=*/1, /*run=*/16);
  EXPECT_LE(PageBytes(), before - 90 * kUnit);
  EXPECT_GE(map_->preallocated(), 100u) << "those that are four in a row";
}

// A process that dies leaves backed free numbers that its successor does not know about.
TEST_F(BlockAllocatorTest, ACompactionFindsWhatAProcessHasLeft) {
  const auto numbers = Allocate(1000);
  Checkpoint();
  FreeLater({numbers.begin() + 100, numbers.begin() + 900});
  Checkpoint();
  Open();
  map_->Trim(0, 1);
  EXPECT_GE(PageBytes(), 1000u * kUnit) << "nothing is known to be backed";
  map_->TrimAll();
  EXPECT_LE(PageBytes(), 201u * kUnit);
  Allocate(800);
  EXPECT_GE(PageBytes(), 1000u * kUnit);
}

// A store that was closed on a full disk still has room for its deletes.
TEST_F(BlockAllocatorTest, SpareNumbersAreThereAgainInTheNextProcess) {
  const auto numbers = Allocate(1000);
  Checkpoint();
  FreeLater({numbers.begin(), numbers.begin() + 5});
  FreeLater({numbers.begin() + 100, numbers.begin() + 900});
  Checkpoint();
  map_->Reserve(20);
  map_->TrimAll();
  env_.SetCapacity(UsedBytes());
  Open();
  EXPECT_TRUE(map_->Preallocate(20));
  auto reserved = map_->Preallocate(500);
  ASSERT_FALSE(reserved);
  EXPECT_EQ(reserved.error().code, ErrorCode::kNoSpace);
  EXPECT_GE(map_->preallocated(), 20u);
}

TEST_F(BlockAllocatorTest, TheLastUnitsOfADiskAreFound) {
  const auto numbers = Allocate(100);
  Checkpoint();
  env_.SetCapacity(UsedBytes() + 40 * kUnit);
  Open();
  while (map_->Preallocate(map_->preallocated() + 1)) {
  }
  EXPECT_GE(map_->preallocated(), 40u);
}

TEST_F(BlockAllocatorTest, WhereTheDiskMakesNoHolesNumbersStayReady) {
  const auto numbers = Allocate(1000);
  Checkpoint();
  FreeLater(numbers);
  Checkpoint();
  const uint64_t ready = map_->preallocated();
  env_.InjectFault({.kind = OperationKind::kPunchHole});
  map_->Trim(0, 1);
  EXPECT_EQ(map_->preallocated(), ready);
}

// The same with random steps. Each number is in at most one of the sets.
class BlockAllocatorModel : public BlockAllocatorTest,
                            public testing::WithParamInterface<unsigned> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  void Add(uint64_t number, std::set<uint64_t>* into) {
    EXPECT_NE(number, 0u);
    for (const auto* other : {&used_now_, &pinned_, &waiting_}) {
      EXPECT_FALSE(other->contains(number)) << number << " is given out twice";
    }
    into->insert(number);
  }
  uint64_t TakeOut(std::set<uint64_t>* from) {
    auto at = from->lower_bound(Below(*from->rbegin() + 1));
    const uint64_t number = *at;
    from->erase(at);
    return number;
  }

  void Step() {
    const uint64_t count = 1 + Below(Below(20) ? 20 : 500);
    switch (Below(6)) {
      case 0:
      case 1:
        for (const uint64_t number : Allocate(count)) Add(number, &used_now_);
        break;
      case 2:
        for (const uint64_t number : Pin(count)) Add(number, &pinned_);
        break;
      case 3:
        for (uint64_t i = 0; i < count && !pinned_.empty(); ++i) {
          const uint64_t number = TakeOut(&pinned_);
          if (Below(2)) {
            map_->Allocate({number, 1});
            Add(number, &used_now_);
          } else {
            map_->Unpin({number, 1});
          }
        }
        break;
      case 4:
        for (uint64_t i = 0; i < count && !used_now_.empty(); ++i) Free(TakeOut(&used_now_));
        break;
      default:
        if (Below(4) == 0) RandomCheckpoint();
    }
  }
  void Free(uint64_t number) {
    map_->FreeLater(number);
    waiting_.insert(number);
  }
  // With changes of the next epoch between its writing and its end.
  void RandomCheckpoint() {
    ASSERT_TRUE(Write());
    const std::set<uint64_t> settled = waiting_;
    EXPECT_EQ(Recorded(), used_now_);
    EXPECT_EQ(map_->used(), used_now_.size());
    EXPECT_EQ(blocks_used_, root_.blocks + block_root_.blocks);
    for (const uint64_t number : Allocate(Below(100))) Add(number, &used_now_);
    Finish();
    for (const uint64_t number : settled) waiting_.erase(number);
    if (Below(3) == 0) map_->Trim(Below(2) ? 0 : Below(1000), 1 + Below(3));
    if (Below(10) == 0) map_->TrimAll();
    if (Below(10) == 0) Reopen();
  }
  // In a closed store nothing is pinned, and there are no changes since the last checkpoint.
  void Reopen() {
    for (const uint64_t number : pinned_) map_->Unpin({number, 1});
    pinned_.clear();
    waiting_.clear();
    Checkpoint();
    Open();
  }

  std::set<uint64_t> used_now_, pinned_, waiting_;
  std::mt19937_64 random_{GetParam()};
};

TEST_P(BlockAllocatorModel, NeverGivesTwiceAndLosesNothing) {
  for (int step = 0; step < 3000; ++step) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + " step " + std::to_string(step));
    Step();
    if (HasFailure()) return;
  }
  while (!used_now_.empty()) Free(TakeOut(&used_now_));
  Reopen();
  EXPECT_EQ(map_->used(), 0u);
  EXPECT_TRUE(Recorded().empty());
  // All numbers of the file can be allocated, without growing it by more than the rest of a
  // bitmap's word.
  constexpr uint64_t kWordBytes = 64 * kUnit;
  const uint64_t size = file_->SizeBytes().value();
  Allocate(size / kUnit - 1);
  EXPECT_LT(file_->SizeBytes().value(), size + kWordBytes);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BlockAllocatorModel, testing::Range(1u, 6u));

}  // namespace
}  // namespace kvfs
