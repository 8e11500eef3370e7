// The space map against a set: over random reservations, allocations, holds and checkpoints it
// never gives out what is used or held, loses nothing, and says no where the disk is full.
#include "store/space_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "store/env/memory_env.h"

namespace kvfs {
namespace {

constexpr uint32_t kUnit = 4096;

class SpaceMapTest : public testing::Test {
 protected:
  SpaceMapTest() : file_(env_.CreateFile("file").value()) { Open(0); }

  // With the groups that the last checkpoint recorded, as a reopening finds them.
  void Open(uint64_t used) {
    map_ = std::make_unique<SpaceMap>(file_.get(), kUnit, used,
                                      [this](uint64_t group) -> Result<GroupWords> {
                                        if (damaged_.contains(group)) {
                                          return Fail(ErrorCode::kCorrupt, "damaged");
                                        }
                                        return records_[group];
                                      });
  }

  void CloseEpoch() {
    ASSERT_TRUE(map_->SettleFreed());
    while (map_->HasDirtyGroups()) {
      auto [group, words] = map_->TakeDirtyGroup();
      records_[group] = words;
    }
    map_->CloseEpoch();
  }
  void Checkpoint(uint64_t spare = 0) {
    CloseEpoch();
    map_->CheckpointDurable(spare, 1);
  }
  std::vector<uint64_t> Allocate(uint64_t count) {
    EXPECT_TRUE(map_->Reserve(count));
    std::vector<uint64_t> numbers;
    for (uint64_t i = 0; i < count; ++i) numbers.push_back(map_->Allocate());
    return numbers;
  }
  void FreeLater(const std::vector<uint64_t>& numbers) {
    for (uint64_t number : numbers) map_->FreeLater(number);
  }
  static bool Overlap(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
    const std::set<uint64_t> set(a.begin(), a.end());
    return std::ranges::any_of(b, [&](uint64_t number) { return set.contains(number); });
  }
  // Numbers that the records call used, without the file's header.
  std::set<uint64_t> Recorded() {
    std::set<uint64_t> numbers;
    for (const auto& [group, words] : records_) {
      for (uint32_t bit = 0; bit < kGroupNumbers; ++bit) {
        if (words[bit / kWordNumbers] >> bit % kWordNumbers & 1) {
          numbers.insert(group * kGroupNumbers + bit);
        }
      }
    }
    numbers.erase(0);
    return numbers;
  }
  uint64_t BytesTaken() {
    const DiskSpace space = env_.GetDiskSpace("file").value();
    return space.total_bytes - space.available_bytes;
  }

  MemoryEnv env_;
  std::unique_ptr<File> file_;
  std::map<uint64_t, GroupWords> records_;
  std::set<uint64_t> damaged_;
  std::unique_ptr<SpaceMap> map_;
};

TEST_F(SpaceMapTest, GivesLowestNumbersFirstAndNeverZero) {
  EXPECT_EQ(Allocate(3), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(map_->used(), 3u);
}

TEST_F(SpaceMapTest, BacksWhatItGives) {
  const auto numbers = Allocate(1000);
  EXPECT_GE(file_->SizeBytes().value(), (numbers.back() + 1) * kUnit);
}

TEST_F(SpaceMapTest, FreedNumbersWaitForTheEpochsCheckpoint) {
  const auto first = Allocate(100);
  Checkpoint();
  FreeLater(first);
  EXPECT_FALSE(Overlap(first, Allocate(100))) << "the open epoch";
  CloseEpoch();
  EXPECT_FALSE(Overlap(first, Allocate(100))) << "the closed epoch";
  map_->CheckpointDurable(0, 1);
  EXPECT_TRUE(Overlap(first, Allocate(100)));
}

TEST_F(SpaceMapTest, FreedNumbersAreRecordedAsFreeAtOnce) {
  const auto numbers = Allocate(10);
  Checkpoint();
  EXPECT_EQ(Recorded().size(), 10u);
  FreeLater({numbers[3]});
  CloseEpoch();
  EXPECT_EQ(Recorded().size(), 9u);
  EXPECT_FALSE(Recorded().contains(numbers[3]));
}

TEST_F(SpaceMapTest, WhatThisEpochAllocatedIsFreeAgainAtOnce) {
  const auto numbers = Allocate(5);
  map_->FreeNow(numbers[2]);
  EXPECT_EQ(Allocate(1), std::vector<uint64_t>{numbers[2]});
}

TEST_F(SpaceMapTest, HeldNumbersAreNeitherGivenOutNorRecorded) {
  ASSERT_TRUE(map_->Reserve(50));
  const auto held = map_->Hold(50);
  EXPECT_FALSE(Overlap(held, Allocate(200)));
  EXPECT_EQ(map_->used(), 200u);
  CloseEpoch();
  for (uint64_t number : held) EXPECT_FALSE(Recorded().contains(number));
  map_->Release(held);
  EXPECT_TRUE(Overlap(held, Allocate(50)));
}

TEST_F(SpaceMapTest, MarkingMakesHeldNumbersUsed) {
  ASSERT_TRUE(map_->Reserve(3));
  const auto held = map_->Hold(3);
  for (uint64_t number : held) ASSERT_TRUE(map_->Mark(number));
  ASSERT_TRUE(map_->Mark(held[0])) << "again: nothing happens";
  EXPECT_EQ(map_->used(), 3u);
  Checkpoint();
  EXPECT_EQ(Recorded(), std::set<uint64_t>(held.begin(), held.end()));
}

TEST_F(SpaceMapTest, ARecoveryMarksNumbersThatItHasNotSeenYet) {
  for (uint64_t number : {uint64_t{5}, uint64_t{70}, uint64_t{3 * kGroupNumbers + 1}}) {
    ASSERT_TRUE(map_->Mark(number));
  }
  EXPECT_FALSE(Overlap(Allocate(5000), {5, 70, 3 * kGroupNumbers + 1}));
}

TEST_F(SpaceMapTest, ReopensWithWhatWasRecorded) {
  const auto numbers = Allocate(300);
  Checkpoint();
  Open(300);
  EXPECT_FALSE(Overlap(numbers, Allocate(300)));
  EXPECT_EQ(map_->used(), 600u);
}

TEST_F(SpaceMapTest, GivesNothingOutOfADamagedGroup) {
  Checkpoint();
  damaged_ = {0};
  Open(0);
  for (uint64_t number : Allocate(100)) EXPECT_GE(number, kGroupNumbers);
  map_->FreeLater(5);
  Checkpoint();
}

TEST_F(SpaceMapTest, AnErrorOfTheTreeIsHandedOn) {
  SpaceMap failing(file_.get(), kUnit, 0, [](uint64_t) -> Result<GroupWords> {
    return Fail(ErrorCode::kIo, "unreadable");
  });
  EXPECT_EQ(failing.Reserve(1).error().code, ErrorCode::kIo);
}

TEST_F(SpaceMapTest, AFullDiskIsAnErrorAndLeavesTheMapUsable) {
  env_.SetCapacity(1 << 20);
  EXPECT_EQ(map_->Reserve(10'000).error().code, ErrorCode::kNoSpace);
  // What there was room for is ready: all of the disk, but for whole words.
  EXPECT_GE(map_->ready(), 256u - kWordNumbers);
  const auto numbers = Allocate(map_->ready());
  EXPECT_EQ(map_->Reserve(1).error().code, ErrorCode::kNoSpace);
  FreeLater(numbers);
  Checkpoint(1000);
  EXPECT_TRUE(map_->Reserve(100)) << "what was freed is there again";
  FreeLater(Allocate(100));
  env_.SetCapacity(4 << 20);
  EXPECT_TRUE(map_->Reserve(500)) << "and so is what the disk got";
}

TEST_F(SpaceMapTest, FreeWordsGoBackToTheDisk) {
  const auto numbers = Allocate(1000);
  // A hole is seen where there was data.
  ASSERT_TRUE(file_->Write(0, std::vector<std::byte>(1024 * kUnit, std::byte{1})));
  Checkpoint();
  const uint64_t full = BytesTaken();
  FreeLater({numbers.begin() + 100, numbers.end()});
  Checkpoint(/*spare=*/0);
  EXPECT_LE(BytesTaken(), full - 12 * kWordNumbers * kUnit);
  const auto again = Allocate(800);  // backed anew
  EXPECT_FALSE(Overlap(again, {numbers.begin(), numbers.begin() + 100}));
}

TEST_F(SpaceMapTest, SpareNumbersStayBacked) {
  FreeLater(Allocate(1000));
  Checkpoint(/*spare=*/500);
  EXPECT_GE(map_->ready(), 500u);
  EXPECT_LT(map_->ready(), 500u + 2 * kWordNumbers);
}

// The same with random steps. Each number is in at most one of the three sets.
class SpaceMapModel : public SpaceMapTest, public testing::WithParamInterface<unsigned> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  void Take(uint64_t number, std::set<uint64_t>* into) {
    EXPECT_NE(number, 0u);
    EXPECT_FALSE(used_.contains(number)) << number << " is used";
    EXPECT_FALSE(held_.contains(number)) << number << " is held";
    EXPECT_FALSE(waiting_.contains(number)) << number << " waits for a checkpoint";
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
        for (uint64_t number : Allocate(count)) {
          Take(number, &used_);
          fresh_.insert(number);
        }
        break;
      case 2:
        ASSERT_TRUE(map_->Reserve(count));
        for (uint64_t number : map_->Hold(count)) Take(number, &held_);
        break;
      case 3:
        for (uint64_t i = 0; i < count && !held_.empty(); ++i) {
          const uint64_t number = TakeOut(&held_);
          if (Below(2)) {
            ASSERT_TRUE(map_->Mark(number));
            Take(number, &used_);
          } else {
            map_->Release({number});
          }
        }
        break;
      case 4:
        for (uint64_t i = 0; i < count && !used_.empty(); ++i) Free(TakeOut(&used_));
        break;
      default:
        if (Below(4) == 0) RandomCheckpoint();
    }
  }
  void Free(uint64_t number) {
    if (fresh_.erase(number) > 0) {
      map_->FreeNow(number);
    } else {
      map_->FreeLater(number);
      waiting_.insert(number);
    }
  }
  // With changes of the next epoch between its closing and its end.
  void RandomCheckpoint() {
    CloseEpoch();
    const std::set<uint64_t> settled = waiting_;
    EXPECT_EQ(Recorded(), used_);
    EXPECT_EQ(map_->used(), used_.size());
    fresh_.clear();
    for (uint64_t number : Allocate(Below(100))) Take(number, &used_);
    map_->CheckpointDurable(Below(1000), 1);
    for (uint64_t number : settled) waiting_.erase(number);
    fresh_.clear();
  }

  std::set<uint64_t> used_, held_, waiting_;
  std::set<uint64_t> fresh_;  // allocated in the open epoch
  std::mt19937_64 random_{GetParam()};
};

TEST_P(SpaceMapModel, NeverGivesTwiceAndLosesNothing) {
  for (int step = 0; step < 3000; ++step) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + " step " + std::to_string(step));
    Step();
    if (HasFailure()) return;
  }
  while (!held_.empty()) map_->Release({TakeOut(&held_)});
  while (!used_.empty()) Free(TakeOut(&used_));
  RandomCheckpoint();
  while (!used_.empty()) Free(TakeOut(&used_));
  Checkpoint();
  EXPECT_EQ(map_->used(), 0u);
  EXPECT_TRUE(Recorded().empty());
  // All that the file has is there to be given out again, without growing it.
  const uint64_t size = file_->SizeBytes().value();
  Allocate(size / kUnit - 1);
  EXPECT_EQ(file_->SizeBytes().value(), size);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SpaceMapModel, testing::Range(1u, 6u));

}  // namespace
}  // namespace kvfs
