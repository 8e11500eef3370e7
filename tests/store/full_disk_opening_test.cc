// A store that was not closed is opened on a full disk: it can always be read and deleted from, and
// changed freely once there is space (P6); and whatever interrupts that opening, at any of its
// steps, everything synced is still there (P2).
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "store/env/memory_env.h"
#include "tests/store/soundness.h"
#include "tests/support/crash.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr uint64_t kSegmentBytes = 1 << 20;
constexpr size_t kEntries = 60;

std::string Name(size_t index) { return "name " + std::to_string(index); }
std::string Content(size_t index) {
  return std::to_string(index) +
         std::string(index % 5 == 0 ? 30'000 : 500, static_cast<char>('a' + index % 26));
}

Result<std::unique_ptr<Store>> Open(Env& env, bool read_only = false) {
  OpenOptions options;
  options.idle_ms = 0;
  options.read_only = read_only;
  return Store::Open(env, "store", options);
}

uint64_t UsedBytes(MemoryEnv& env) {
  const DiskSpace space = env.GetDiskSpace("").value();
  return space.total_bytes - space.available_bytes;
}

void LeaveRoom(MemoryEnv& env, uint64_t bytes) { env.SetCapacity(UsedBytes(env) + bytes); }

// The disk after the death of the process, filled by others except for this many bytes.
std::unique_ptr<MemoryEnv> Kill(const MemoryEnv& env, uint64_t room = 0) {
  auto disk = env.CrashImage({CrashChoice::Kind::kAll, 0});
  LeaveRoom(*disk, room);
  return disk;
}

// Ends a store like the death of its process: nothing that closing does reaches the disk.
void Die(MemoryEnv& env, std::unique_ptr<Store> store) {
  env.FailPowerAt(env.OperationCount() + 1);
  store.reset();
}

// Fills a store, with contents that wait to be reclaimed, and ends the process: if a checkpoint is
// taken, half is in the tree, and half in the log.
void FillAndDie(MemoryEnv& env, bool has_checkpoint = true) {
  ASSERT_TRUE(Store::Create(env, "store", SmallStore(2, 4096)));
  auto store = Open(env).value();
  for (size_t i = 0; i < kEntries; ++i) {
    ASSERT_TRUE(store->Put(Name(i), Content(i)));
    ASSERT_TRUE(i != kEntries / 2 || !has_checkpoint || store->Checkpoint());
  }
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(store->Put("dead", std::string(300'000, 'd')));
    ASSERT_TRUE(store->Erase("dead"));
  }
  ASSERT_TRUE(store->Sync());
  Die(env, std::move(store));
}

void ExpectHolds(const Store& store, size_t from = 0) {
  for (size_t i = 0; i < kEntries; ++i) {
    auto got = store.Get(Name(i));
    ASSERT_EQ(got.has_value(), i >= from) << i << ": " << (got ? "" : got.error().message);
    ASSERT_TRUE(!got || *got == Content(i)) << i;
  }
}

// The disk, as it is and then with space, holds everything, and accepts puts.
void ExpectWholeWithRoom(MemoryEnv& disk) {
  disk.SetCapacity(uint64_t{1} << 40);
  auto store = Open(disk);
  ASSERT_TRUE(store) << store.error().message;
  ExpectHolds(**store);
  ExpectSound(**store);
  ASSERT_TRUE((*store)->Put("after", "there is room"));
  ASSERT_TRUE((*store)->Checkpoint());
  ASSERT_TRUE((*store)->Close());
  store->reset();
  store = Open(disk);
  ASSERT_TRUE(store) << store.error().message;
  ExpectHolds(**store);
  EXPECT_EQ((*store)->Get("after"), std::string("there is room"));
}

class FullDiskOpeningTest : public testing::Test {
 protected:
  MemoryEnv env_;
};

// Without a free byte, with room for a segment, and with room for almost two.
class OpeningWithRoomTest : public testing::TestWithParam<uint64_t> {};

// The opening, a delete and the work it needs are interrupted at each of their steps.
TEST_P(OpeningWithRoomTest, CutOffAnywhereLosesNothing) {
  const auto prepare = [](Env& env) {
    auto& disk = static_cast<MemoryEnv&>(env);
    FillAndDie(disk);
    LeaveRoom(disk, GetParam());
  };
  const auto run = [](Env& env) {
    auto store = Open(env);
    if (!store || !(*store)->Put("mark", "m")) return;
    static_cast<void>((*store)->Erase("mark"));
    static_cast<void>((*store)->Checkpoint());
  };
  const auto check = [](Env& image) {
    auto& disk = static_cast<MemoryEnv&>(image);
    {
      auto store = Open(disk);
      ASSERT_TRUE(store) << store.error().message;
      ExpectHolds(**store);
      ExpectSound(**store);
    }
    ExpectWholeWithRoom(disk);
  };
  const auto report = ExploreCrashes({.prepare = prepare, .run = run, .check = check},
                                     {.prefixes = 3,
                                      .random_images = 1,
                                      .torn_images = 1,
                                      .stride = uint64_t{kIsSanitized ? 23 : 7}});
  EXPECT_GT(report.images, 20u);
}

INSTANTIATE_TEST_SUITE_P(Room, OpeningWithRoomTest,
                         testing::Values(0, kSegmentBytes, 2 * kSegmentBytes - 4096));

// The process dies at each step of the opening; everything it has written remains.
TEST_F(FullDiskOpeningTest, KilledAnywhereItOpensAgain) {
  FillAndDie(env_);
  const auto disk = Kill(env_);
  for (uint64_t step = 1;; step += kIsSanitized ? 5 : 1) {
    SCOPED_TRACE("killed at operation " + std::to_string(step));
    auto life = Kill(*disk);
    life->FailPowerAt(step);
    auto store = Open(*life);
    const bool is_over = !life->HasPowerFailed();
    EXPECT_TRUE(is_over || !store);
    if (is_over) Die(*life, *std::move(store));
    auto next = Kill(*life);
    auto again = Open(*next);
    ASSERT_TRUE(again) << again.error().message;
    ExpectHolds(**again);
    ASSERT_TRUE((*again)->Erase(Name(0)));
    ExpectHolds(**again, 1);
    ExpectSound(**again);
    if (is_over || HasFailure()) break;
  }
}

TEST_F(FullDiskOpeningTest, TakesDeletesAndThenEverythingOnceThereIsRoom) {
  for (const bool has_checkpoint : {false, true}) {
    SCOPED_TRACE(has_checkpoint);
    MemoryEnv env;
    FillAndDie(env, has_checkpoint);
    auto disk = Kill(env);
    auto store = Open(*disk);
    ASSERT_TRUE(store) << store.error().message;
    ExpectHolds(**store);
    for (size_t i = 0; i < kEntries / 2; ++i) {
      auto erased = (*store)->Erase(Name(i));
      ASSERT_TRUE(erased) << i << ": " << erased.error().message;
    }
    ASSERT_TRUE((*store)->Sync());
    ExpectHolds(**store, kEntries / 2);
    disk->SetCapacity(uint64_t{1} << 40);
    for (size_t i = 0; i < kEntries / 2; ++i) ASSERT_TRUE((*store)->Put(Name(i), Content(i)));
    ExpectHolds(**store);
    ExpectSound(**store);
  }
}

TEST_F(FullDiskOpeningTest, OpensForReadingOnly) {
  FillAndDie(env_);
  const auto disk = Kill(env_);
  const uint64_t before = disk->OperationCount();
  auto store = Open(*disk, /*read_only=*/true);
  ASSERT_TRUE(store) << store.error().message;
  ExpectHolds(**store);
  EXPECT_EQ(disk->OperationCount(), before);
}

// A process uses up nothing that the next one needs, whether it changes something or not.
TEST_F(FullDiskOpeningTest, ManyLivesUseNothingUp) {
  for (const bool erases : {false, true}) {
    SCOPED_TRACE(erases);
    MemoryEnv env;
    FillAndDie(env);
    auto disk = Kill(env);
    for (size_t life = 0; life < 20; ++life) {
      SCOPED_TRACE("life " + std::to_string(life));
      auto store = Open(*disk);
      ASSERT_TRUE(store) << store.error().message;
      ExpectHolds(**store, erases ? life : 0);
      ASSERT_TRUE(!erases || (*store)->Erase(Name(life)));
      Die(*disk, *std::move(store));
      disk = Kill(*disk);
    }
    auto store = Open(*disk);
    ASSERT_TRUE(store) << store.error().message;
    for (size_t i = erases ? 20 : 0; i < kEntries; ++i) ASSERT_TRUE((*store)->Erase(Name(i))) << i;
  }
}

// A store that is opened and closed again and again, without enough space to close it.
TEST_F(FullDiskOpeningTest, ClosesWhatItOpened) {
  FillAndDie(env_);
  const auto disk = Kill(env_);
  for (int life = 0; life < 5; ++life) {
    auto store = Open(*disk);
    ASSERT_TRUE(store) << store.error().message;
    ExpectHolds(**store);
    auto closed = (*store)->Close();
    ASSERT_TRUE(closed) << closed.error().message;
    store->reset();
    LeaveRoom(*disk, 0);
  }
}

// A disk that refuses all allocations, for example because no file can be created although bytes
// are free, or because a quota is used up.
TEST_F(FullDiskOpeningTest, WithoutAnyNewFile) {
  FillAndDie(env_);
  auto disk = env_.CrashImage({CrashChoice::Kind::kAll, 0});
  for (uint64_t nth = 1; nth <= 200; ++nth) {
    disk->InjectFault(
        {.kind = OperationKind::kCreateFile, .nth = nth, .code = ErrorCode::kNoSpace});
  }
  auto store = Open(*disk);
  ASSERT_TRUE(store) << store.error().message;
  ExpectHolds(**store);
  for (size_t i = 0; i < kEntries; ++i) ASSERT_TRUE((*store)->Erase(Name(i))) << i;
  ASSERT_TRUE((*store)->Put("new", "bytes are free"));
}

// If not even the replay can write, everything can be read as if there were nothing to write.
TEST_F(FullDiskOpeningTest, IsReadWhereAReplayCannotWrite) {
  FillAndDie(env_);
  auto disk = Kill(env_);
  for (uint64_t nth = 1; nth <= 100; ++nth) {
    disk->InjectFault({.kind = OperationKind::kWrite,
                       .path_contains = ".values",
                       .nth = nth,
                       .code = ErrorCode::kNoSpace});
  }
  auto store = Open(*disk);
  ASSERT_TRUE(store) << store.error().message;
  ExpectHolds(**store);
  EXPECT_EQ((*store)->Put("new", "x").error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE((*store)->Close());
  ExpectWholeWithRoom(*Kill(*disk));
}

// All log files but one are gone, and others have taken their space.
TEST_F(FullDiskOpeningTest, OneSegmentIsEnough) {
  FillAndDie(env_);
  auto disk = env_.CrashImage({CrashChoice::Kind::kAll, 0});
  ASSERT_TRUE(Open(*disk).value()->Close());
  bool is_first = true;
  const std::vector<std::string> names = disk->ListDirectory("store/log").value();
  for (const std::string& name : names) {
    if (!name.starts_with("segment-") || std::exchange(is_first, false)) continue;
    ASSERT_TRUE(disk->RemoveFile("store/log/" + name));
  }
  LeaveRoom(*disk, 0);
  auto store = Open(*disk);
  ASSERT_TRUE(store) << store.error().message;
  ExpectHolds(**store);
  // Each checkpoint makes the segment a spare, and begins it again.
  for (size_t i = 0; i < 40; ++i) {
    auto erased = (*store)->Erase(Name(i));
    ASSERT_TRUE(erased) << i << ": " << erased.error().message;
    auto taken = (*store)->Checkpoint();
    ASSERT_TRUE(taken) << i << ": " << taken.error().message;
  }
  ExpectHolds(**store, 40);
  Die(*disk, *std::move(store));
  ExpectHolds(**Open(*Kill(*disk)), 40);
}

}  // namespace
}  // namespace kvfs
