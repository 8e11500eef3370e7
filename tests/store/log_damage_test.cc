// Distinguishes damage of a durable part of the log from the effect of a power failure.
#include <gtest/gtest.h>

#include <kvfs/bytes.h>
#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr uint64_t kSegmentBytes = 1 << 20;

class LogDamageTest : public testing::Test {
 protected:
  LogDamageTest() {
    CreateOptions options = SmallStore(1);
    options.log_limit_bytes = 16 * kSegmentBytes;
    EXPECT_TRUE(Store::Create(env_, "store", options));
    store_ = Open(env_).value();
  }

  static Result<std::unique_ptr<Store>> Open(Env& env, bool read_only = false) {
    OpenOptions options;
    options.idle_ms = 0;
    options.read_only = read_only;
    return Store::Open(env, "store", options);
  }

  // The disk after the death of the process; and after a power failure that happened to preserve
  // everything.
  std::unique_ptr<MemoryEnv> Everything() { return env_.CrashImage({CrashChoice::Kind::kAll, 0}); }
  std::unique_ptr<MemoryEnv> WithoutPower() {
    return env_.CrashImage({CrashChoice::Kind::kPrefix, env_.UnsyncedCount()});
  }

  void Put(const std::string& name, const std::string& value) {
    ASSERT_TRUE(store_->Put(name, value));
  }
  // This many puts; a sync after each `sync_every` of them.
  void PutMany(int count, const std::string& value, int sync_every = 0) {
    for (int i = 0; i < count; ++i) {
      Put("name " + std::to_string(i), value);
      if (sync_every == 0 || i % sync_every != 0) continue;
      ASSERT_TRUE(store_->Sync());
    }
    names_ = count;
  }

  struct Place {
    std::string path;
    uint64_t offset = 0;
  };
  // In the last file of the log that contains the text.
  static Place Find(Env& env, const std::string& text) {
    Place place;
    const auto names = env.ListDirectory("store/log").value();
    for (const std::string& name : names) {
      const std::string path = "store/log/" + name;
      const size_t at = BytesOf(env, path).find(text);
      if (at != std::string::npos) place = {path, at};
    }
    EXPECT_FALSE(place.path.empty()) << "the log does not hold " << text;
    return place;
  }
  static void Flip(Env& env, const std::string& path, uint64_t offset) {
    std::byte byte[1];
    auto file = env.OpenFile(path).value();
    ASSERT_TRUE(file->Read(offset, byte));
    byte[0] ^= std::byte{1};
    ASSERT_TRUE(file->Write(offset, byte));
  }
  static void FlipIn(Env& env, const std::string& text, int64_t behind = 0) {
    const Place place = Find(env, text);
    Flip(env, place.path, place.offset + static_cast<uint64_t>(behind));
  }
  static void Zero(Env& env, const std::string& path, uint64_t offset, uint64_t bytes) {
    Overwrite(env, path, offset, std::string(bytes, '\0'));
  }

  int Present(const Store& store) const {
    int present = 0;
    for (int i = 0; i < names_; ++i) present += store.Get("name " + std::to_string(i)) ? 1 : 0;
    return present;
  }
  // Refused for writing; readable, but reported as incomplete.
  void ExpectTold(Env& image) {
    const auto refused = Open(image);
    ASSERT_FALSE(refused) << Present(**refused) << " of " << names_ << " names are there";
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt) << refused.error().message;
    auto read = Open(image, /*read_only=*/true);
    ASSERT_TRUE(read) << read.error().message;
    const Store& store = **read;
    EXPECT_EQ(store.Damage().error().code, ErrorCode::kCorrupt);
    EXPECT_LT(Present(store), names_);
    EXPECT_EQ(store.Get("name " + std::to_string(names_ - 1)).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(store.Get("never there").error().code, ErrorCode::kCorrupt);
    auto visit = [](const ListedEntry&) { return true; };
    EXPECT_EQ(store.List(kRootDirectory, 0, visit).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(store.TakeSnapshot().value()->List(kRootDirectory, 0, visit).error().code,
              ErrorCode::kCorrupt);
    EXPECT_FALSE(store.Check({})->IsSound());
  }
  void ExpectAllThere(Env& image) {
    auto store = Open(image);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_TRUE((*store)->Damage());
    EXPECT_EQ(Present(**store), names_);
    ExpectSound(**store);
    ASSERT_TRUE((*store)->Close());
  }
  void ExpectOpensWithout(Env& image, int from) {
    auto store = Open(image);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_GE(Present(**store), from);
    EXPECT_LT(Present(**store), names_);
  }

  int names_ = 0;

  static std::string BytesOf(Env& env, const std::string& path) {
    auto file = env.OpenFile(path).value();
    std::string bytes(file->SizeBytes().value(), '\0');
    EXPECT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  }
  static void Overwrite(Env& env, const std::string& path, uint64_t offset,
                        const std::string& bytes) {
    ASSERT_TRUE(env.OpenFile(path).value()->Write(offset, AsBytes(bytes)));
  }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

// --- after a power failure: what a later record proves ---

// Thousands of values that look like fronts of records hide no proof.
TEST_F(LogDamageTest, ValuesOfSmallIntegersHideNothing) {
  for (int i = 0; i < 600; ++i) {
    std::string value(4000, '\0');
    const uint64_t counter = i % 3 == 0 ? 200 : i % 3 == 1 ? 1500 : 500;
    for (size_t at = 0; at < value.size(); at += 8) {
      StoreLittle(reinterpret_cast<std::byte*>(value.data() + at), counter);
    }
    Put("name " + std::to_string(i), value);
    if (i % 50 == 0) {
      EXPECT_TRUE(store_->Sync());
    }
  }
  names_ = 600;
  auto image = WithoutPower();
  FlipIn(*image, "name 100", 300);
  ExpectTold(*image);
}

TEST_F(LogDamageTest, OneProofIsEnoughEvenIfDamagedItself) {
  PutMany(100, "value");
  ASSERT_TRUE(store_->Sync());
  Put("last", std::string(100, 'z'));
  auto image = WithoutPower();
  FlipIn(*image, "name 50");
  FlipIn(*image, "zzzzzzzz");
  ExpectTold(*image);
}

TEST_F(LogDamageTest, DamageAtSeveralPlaces) {
  PutMany(1000, std::string(500, 'v'), 100);
  auto image = WithoutPower();
  for (const int i : {10, 11, 200, 500, 700}) FlipIn(*image, "name " + std::to_string(i), 10);
  ExpectTold(*image);
}

TEST_F(LogDamageTest, AZeroedPageInTheMiddle) {
  PutMany(1000, std::string(500, 'v'), 100);
  auto image = WithoutPower();
  const Place place = Find(*image, "name 300");
  Zero(*image, place.path, place.offset / 4096 * 4096, 4096);
  ExpectTold(*image);
}

TEST_F(LogDamageTest, ASegmentThatIsGone) {
  PutMany(5000, std::string(500, 'v'), 100);
  auto image = WithoutPower();
  ASSERT_TRUE(image->RemoveFile(Find(*image, "name 2500").path));
  ExpectTold(*image);
}

TEST_F(LogDamageTest, ASegmentThatIsCutShort) {
  PutMany(5000, std::string(500, 'v'), 100);
  for (const uint64_t length : {uint64_t{70}, uint64_t{5000}, kSegmentBytes - 1}) {
    auto image = WithoutPower();
    const std::string path = Find(*image, "name 2500").path;
    const std::string bytes = BytesOf(*image, path).substr(0, length);
    ASSERT_TRUE(image->RemoveFile(path));
    ASSERT_TRUE(image->CreateFile(path).value()->Write(0, AsBytes(bytes)));
    const auto refused = Open(*image);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(Open(*image, /*read_only=*/true));
  }
}

// The first, a middle and the last segment: the records replace the lost header.
TEST_F(LogDamageTest, ADamagedSegmentHeaderCostsNothing) {
  PutMany(5000, std::string(500, 'v'), 100);
  ASSERT_TRUE(store_->Sync());
  for (const std::string name : {"name 1", "name 2500", "name 4999"}) {
    for (const bool is_zeroed : {false, true}) {
      SCOPED_TRACE(name);
      auto image = WithoutPower();
      const std::string path = Find(*image, name).path;
      is_zeroed ? Zero(*image, path, 0, 64) : Flip(*image, path, 33);
      ExpectAllThere(*image);
    }
  }
}

TEST_F(LogDamageTest, ASegmentWithoutItsFirstPageIsKnownByTheRest) {
  PutMany(5000, std::string(500, 'v'), 100);
  ASSERT_TRUE(store_->Sync());
  Put("last", "x");
  for (const std::string name : {"name 2500", "name 4999"}) {
    SCOPED_TRACE(name);
    auto image = WithoutPower();
    Zero(*image, Find(*image, name).path, 0, 4096);
    ExpectTold(*image);
  }
}

// --- after the death of the process: everything appended must be there ---

TEST_F(LogDamageTest, AKilledProcessLosesNothing) {
  PutMany(1000, "value");
  ExpectAllThere(*Everything());
  ExpectAllThere(*WithoutPower());
}

TEST_F(LogDamageTest, NothingIsSyncedAndDamageIsToldAllTheSame) {
  PutMany(1000, "value");
  const Place place = Find(env_, "name 100");
  auto flipped = Everything();
  Flip(*flipped, place.path, place.offset);
  ExpectTold(*flipped);
  auto zeroed = Everything();
  Zero(*zeroed, place.path, place.offset / 4096 * 4096, 4096);
  ExpectTold(*zeroed);
  auto last = Everything();
  FlipIn(*last, "name 999");
  ExpectTold(*last);
}

TEST_F(LogDamageTest, SegmentsThatAreGoneAreToldThoughNothingIsSynced) {
  PutMany(5000, std::string(500, 'v'));
  for (const std::string name : {"name 2500", "name 4999"}) {
    auto image = Everything();
    ASSERT_TRUE(image->RemoveFile(Find(*image, name).path));
    ExpectTold(*image);
  }
}

TEST_F(LogDamageTest, TheMarkGoesOnOverCheckpointsAndLives) {
  PutMany(500, "value");
  for (int life = 0; life < 3; ++life) {
    ASSERT_TRUE(store_->Checkpoint());
    PutMany(1000, "value " + std::to_string(life));
    auto image = Everything();
    FlipIn(*image, "value " + std::to_string(life), 3);
    EXPECT_FALSE(Open(*image));
    ExpectAllThere(*Everything());
    store_.reset();
    store_ = Open(env_).value();
  }
}

// The proof remains valid while the next process opens the store.
TEST_F(LogDamageTest, AnOpeningThatIsKilledLeavesTheProof) {
  PutMany(200, "value");
  const auto before = Everything();
  auto probe = before->CrashImage({CrashChoice::Kind::kAll, 0});
  ASSERT_TRUE(Open(*probe));
  for (uint64_t operation = 1; operation <= 40; ++operation) {
    SCOPED_TRACE(operation);
    auto opened = before->CrashImage({CrashChoice::Kind::kAll, 0});
    opened->FailPowerAt(operation);
    if (Open(*opened)) break;
    auto image = opened->CrashImage({CrashChoice::Kind::kAll, 0});
    ExpectAllThere(*image->CrashImage({CrashChoice::Kind::kAll, 0}));
    FlipIn(*image, "name 100");
    ExpectTold(*image);
  }
}

// Records at the end of the log that a power failure lost are not damage, whatever the mark says.
TEST_F(LogDamageTest, WithoutPowerTheEndOfTheLogMayBeMissing) {
  PutMany(100, "value");
  ASSERT_TRUE(store_->Sync());
  PutMany(1000, "value");
  auto image = WithoutPower();
  FlipIn(*image, "name 999");
  ExpectOpensWithout(*image, 100);
}

// Without a mark, with a damaged one, or with that of a copy: the mark is ignored.
TEST_F(LogDamageTest, AMarkThatIsLostOrDamagedChangesNothing) {
  PutMany(1000, "value");
  for (uint64_t at = 0; at < 96; at += 3) {
    auto image = Everything();
    Flip(*image, "store/log/mark", at);
    ExpectAllThere(*image);
  }
  auto image = Everything();
  ASSERT_TRUE(image->RemoveFile("store/log/mark"));
  FlipIn(*image, "name 500");
  ExpectOpensWithout(*image, 500);
}

TEST_F(LogDamageTest, WithoutRoomForAMarkTheStoreOpens) {
  PutMany(10, "value");
  auto image = Everything();
  ASSERT_TRUE(image->RemoveFile("store/log/mark"));
  image->InjectFault({OperationKind::kCreateFile, "store/log/mark", 1, ErrorCode::kNoSpace});
  ExpectAllThere(*image);
  for (const OperationKind kind : {OperationKind::kWrite, OperationKind::kAllocate}) {
    auto other = Everything();
    other->InjectFault({kind, "store/log/mark", 1, ErrorCode::kNoSpace});
    ExpectAllThere(*other);
  }
}

// After a failed flush the content of the disk is unknown.
TEST_F(LogDamageTest, AFailedSyncEndsTheMark) {
  PutMany(1000, "value");
  env_.InjectFault({.kind = OperationKind::kSync, .path_contains = "store/log/segment"});
  ASSERT_FALSE(store_->Sync());
  auto image = Everything();
  FlipIn(*image, "name 900");
  ExpectOpensWithout(*image, 800);
}

// However many blocks are damaged, each segment is read by the two passes of a replay, and once in
// the search for proofs.
TEST_F(LogDamageTest, TheLogIsReadAFewTimesHoweverManyBlocksAreDamaged) {
  ASSERT_TRUE(store_->Put("large", std::string(200 * 4096, 'B')));
  ASSERT_TRUE(store_->Sync());
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(store_->Put("name " + std::to_string(i), std::string(1000, 'v')));
  }
  ASSERT_TRUE(store_->Sync());
  ASSERT_TRUE(store_->Put("last", "value"));
  auto image = Everything();
  const std::string values = BytesOf(*image, "store/shard-00.values");
  size_t damaged = 0;
  for (size_t at = 0; at < values.size(); at += 4096) {
    if (values[at] != 'B') continue;
    Overwrite(*image, "store/shard-00.values", at, "X");
    ++damaged;
  }
  ASSERT_GE(damaged, 200u);
  const size_t segments = image->ListDirectory("store/log").value().size();
  image->InjectFault({OperationKind::kRead, "store/log/segment", 6 * segments});
  auto store = Open(*image);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(image->PendingFaults(), 1u) << "the log was read more often";
  EXPECT_TRUE((*store)->Get("last"));
  EXPECT_EQ((*store)->Get("large").error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace kvfs
