// Faults of the disk: one operation fails with kIo, with kNoSpace or half done, and all others
// succeed; or all later ones fail, too. The error is clean, reads continue to work, and a reopened
// store holds an exact prefix of the acknowledged operations with everything that was synced.
//
// A failure is reported with the script's seed and the number of the operation that failed.
#include <gtest/gtest.h>

#include <algorithm>

#include <kvfs/dump.h>
#include <kvfs/repair.h>
#include "store/env/memory_env.h"
#include "tests/store/model.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

// One in this many operations fails.
constexpr uint64_t kStride = kRepeatsLess ? 5 : 1;

struct FaultCase {
  const char* name;
  ErrorCode code;
  bool is_partial = false;
  bool lasts = false;
  std::optional<OperationKind> kind = {};  // any except kRead
};

void PrintTo(const FaultCase& fault, std::ostream* out) { *out << fault.name; }

class FaultTest : public testing::TestWithParam<FaultCase> {
 protected:
  // A disk with a store on which a script will run, while states are recorded.
  void Prepare() {
    disk_ = std::make_unique<MemoryEnv>();
    states_ = {Model{}};
    synced_ = 0;
    doubtful_.clear();
    ASSERT_TRUE(Store::Create(*disk_, "store", SmallStore(2)));
  }

  void FailOperation(uint64_t nth) {
    disk_->InjectFault({.kind = GetParam().kind,
                        .nth = nth,
                        .code = GetParam().code,
                        .is_partial = GetParam().is_partial,
                        .lasts = GetParam().lasts});
  }
  bool HasFailed() const { return disk_->PendingFaults() == 0 || disk_->HasLastingFault(); }
  static bool FailsReads() { return GetParam().kind == OperationKind::kRead; }

  // Runs the whole script, despite errors. An operation with an error has no effect, except after
  // kIo: then its effect may appear after a reopening.
  void Run(Store& store, const std::vector<Step>& script) {
    std::unique_ptr<Snapshot> snapshot;
    for (const Step& step : script) {
      if (step.kind == Step::Kind::kTakeSnapshot) snapshot = store.TakeSnapshot().value();
      if (step.kind == Step::Kind::kLookAtSnapshot && snapshot) ExpectExcused(ReadStore(*snapshot));
      if (step.kind == Step::Kind::kLookAtHoles) FindHoles(store);
      if (step.kind >= Step::Kind::kTakeSnapshot || step.kind == Step::Kind::kReopen) continue;
      Model after = states_.back();
      if (!ApplyToModel(step, &after)) continue;  // an entry that it needs was refused before
      const auto done = ApplyToStore(step, store);
      if (!done) {
        NoteError(done.error(), after);
        ExpectReads(store);
      } else if (step.kind == Step::Kind::kSync || step.kind == Step::Kind::kCheckpoint ||
                 step.kind == Step::Kind::kCompact) {
        synced_ = states_.size() - 1;
      } else {
        states_.push_back(after);
      }
      if (HasFailure()) return;
    }
  }

  static bool IsExcused(const Error& error) {
    return error.code == GetParam().code || error.code == ErrorCode::kIo ||
           error.code == ErrorCode::kReadOnly || error.code == ErrorCode::kUnavailable;
  }
  template <typename T>
  static void ExpectExcused(const Result<T>& done) {
    EXPECT_TRUE(done || IsExcused(done.error())) << done.error().message;
  }
  void FindHoles(const Store& store) {
    for (const auto& [key, entry] : states_.back()) {
      ExpectExcused(store.FindData({key.first, key.second}, 5000));
      ExpectExcused(store.FindHole({key.first, key.second}, 5000));
    }
  }
  // No fault of the disk is reported as damage.
  void ExpectNoDamage(Store& store) {
    CheckOptions options;
    options.on_finding = [](const CheckFinding& finding) {
      EXPECT_EQ(finding.kind, CheckFinding::Kind::kNote) << finding.message;
    };
    ExpectExcused(store.Check(options));
    static_cast<void>(store.GetStats());
    ExpectExcused(store.GetDiskSpace());
  }
  void DumpAndRepair() {
    const auto names = disk_->ListDirectory("store");
    ASSERT_TRUE(names);
    for (const std::string& name : *names) {
      if (name == "log") continue;
      ExpectExcused(DumpFile(*disk_, "store/" + name, [](std::string_view) { return true; }));
    }
    ExpectExcused(RepairStore(*disk_, "store", "repaired"));
  }

  void NoteError(const Error& error, const Model& after) {
    EXPECT_FALSE(error.message.empty());
    EXPECT_TRUE(IsExcused(error)) << error.message;
    if (error.code == ErrorCode::kIo) doubtful_.push_back(after);
    ++errors_;
  }

  // This process sees exactly what was acknowledged; or, after kIo, perhaps also the failed
  // operation.
  void ExpectReads(const Store& store) {
    auto held = ReadStore(store);
    if (!held && FailsReads()) return ExpectExcused(held);
    ASSERT_TRUE(held) << held.error().message;
    if (std::ranges::find(doubtful_, *held) != doubtful_.end()) return;
    EXPECT_EQ(Difference(states_.back(), *held), "");
  }

  void ExpectPrefix(Env& disk, size_t at_least) {
    auto store = Store::Open(disk, "store");
    ASSERT_TRUE(store) << store.error().message;
    auto held = ReadStore(**store);
    ASSERT_TRUE(held) << held.error().message;
    if (std::ranges::find(doubtful_, *held) != doubtful_.end()) return;
    const auto found = std::find(states_.rbegin(), states_.rend(), *held);
    ASSERT_TRUE(found != states_.rend()) << Difference(states_.back(), *held);
    EXPECT_GE(static_cast<size_t>(states_.rend() - found) - 1, at_least);
  }

  // Makes the n-th operation fail, runs the script, and then checks what the process sees, and what
  // a power failure leaves. False if the script has fewer operations.
  bool RunWithFault(uint64_t nth, const std::vector<Step>& script) {
    Prepare();
    FailOperation(nth);
    std::unique_ptr<MemoryEnv> process_died, power_failed;
    if (auto store = Store::Open(*disk_, "store")) {
      Run(**store, script);
      ExpectReads(**store);
      if (asks_everything_) ExpectNoDamage(**store);
      process_died = disk_->CrashImage({CrashChoice::Kind::kAll, 0});
      power_failed = disk_->CrashImage({CrashChoice::Kind::kNone, 0});
      static_cast<void>((*store)->Close());
    }
    if (asks_everything_) DumpAndRepair();
    if (process_died) ExpectPrefix(*process_died, states_.size() - 1);
    if (power_failed) ExpectPrefix(*power_failed, synced_);
    const bool has_failed = HasFailed();
    ExpectPrefix(*disk_->CrashImage({CrashChoice::Kind::kAll, 0}), states_.size() - 1);
    return has_failed;
  }

  std::unique_ptr<MemoryEnv> disk_;
  std::vector<Model> states_;
  std::vector<Model> doubtful_;
  size_t synced_ = 0;
  size_t errors_ = 0;
  bool asks_everything_ = false;
};

class EveryOperation : public FaultTest {};

// On a store on which every operation is performed.
TEST_P(EveryOperation, OfAScriptOfEverything) {
  asks_everything_ = true;
  const auto script =
      DrawScript(7, {.steps = 60, .names = 6, .max_bytes = 150'000, .everything = true});
  uint64_t nth = 1;
  for (bool has_more = true; has_more && !HasFailure(); nth += kStride + nth / 16) {
    SCOPED_TRACE("operation " + std::to_string(nth));
    has_more = RunWithFault(nth, script);
  }
  EXPECT_GT(nth, 50u);
  const bool is_read_again = FailsReads() && !GetParam().lasts;
  EXPECT_TRUE(errors_ > 0 || is_read_again);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, EveryOperation,
    testing::Values(FaultCase{"Io", ErrorCode::kIo},
                    FaultCase{"IoForGood", ErrorCode::kIo, false, true},
                    FaultCase{"NoSpace", ErrorCode::kNoSpace},
                    FaultCase{"NoSpaceForGood", ErrorCode::kNoSpace, false, true},
                    FaultCase{"NoMemoryForGood", ErrorCode::kUnavailable, false, true},
                    FaultCase{"Read", ErrorCode::kIo, false, false, OperationKind::kRead},
                    FaultCase{"ReadUnavailable", ErrorCode::kUnavailable, false, false,
                              OperationKind::kRead},
                    FaultCase{"ReadUnavailableForGood", ErrorCode::kUnavailable, false, true,
                              OperationKind::kRead}),
    [](const auto& fault) { return fault.param.name; });

TEST_P(FaultTest, AnyOperationOfAScript) {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const auto script =
        DrawScript(seed, {.steps = 40, .names = 8, .max_bytes = 30'000, .reopens = false});
    for (uint64_t nth = 1;; nth += kStride) {
      SCOPED_TRACE("script seed " + std::to_string(seed) + " operation " + std::to_string(nth));
      if (!RunWithFault(nth, script)) {
        EXPECT_GT(nth, 50u);
        break;
      }
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(errors_, 20u);
}

INSTANTIATE_TEST_SUITE_P(Faults, FaultTest,
                         testing::Values(FaultCase{"Io", ErrorCode::kIo, false},
                                         FaultCase{"IoInTheMiddle", ErrorCode::kIo, true},
                                         FaultCase{"NoSpace", ErrorCode::kNoSpace, false},
                                         FaultCase{"NoSpaceInTheMiddle", ErrorCode::kNoSpace,
                                                   true}),
                         [](const auto& fault) { return fault.param.name; });

// A disk without space for more, and then with space again.
class FullDiskTest : public testing::Test {
 protected:
  static constexpr uint64_t kCapacity = 12 << 20;

  FullDiskTest() {
    disk_.SetCapacity(kCapacity);
    EXPECT_TRUE(Store::Create(disk_, "store", SmallStore(2)));
    Open();
  }
  void Open() {
    store_.reset();
    auto opened = Store::Open(disk_, "store");
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  static std::string Content(size_t index, size_t bytes) {
    return std::string(bytes, static_cast<char>('a' + index % 26));
  }
  // Returns how many fitted.
  size_t Fill(size_t bytes) {
    for (size_t count = 0;; ++count) {
      auto put = store_->Put("name " + std::to_string(count), Content(count, bytes));
      if (put) continue;
      EXPECT_EQ(put.error().code, ErrorCode::kNoSpace) << put.error().message;
      return count;
    }
  }
  void ExpectHolds(size_t begin, size_t count, size_t bytes) {
    for (size_t i = begin; i < count; ++i) {
      auto got = store_->Get("name " + std::to_string(i));
      ASSERT_TRUE(got) << i << ": " << got.error().message;
      ASSERT_TRUE(*got == Content(i, bytes)) << i;
    }
  }

  static uint64_t UsedBytes(Env& disk) {
    const DiskSpace space = disk.GetDiskSpace("store").value();
    return space.total_bytes - space.available_bytes;
  }

  MemoryEnv disk_;
  std::unique_ptr<MemoryEnv> fresh_;  // for tests with several
  std::unique_ptr<Store> store_;
};

TEST_F(FullDiskTest, LosesNothingThatWasAcknowledged) {
  for (size_t bytes : {size_t{500}, size_t{20'000}}) {
    SCOPED_TRACE(std::to_string(bytes) + " bytes each");
    const size_t count = Fill(bytes);
    EXPECT_GT(count, 50u);
    ExpectHolds(0, count, bytes);
    ASSERT_TRUE(store_->Sync());
    ASSERT_NO_FATAL_FAILURE(Open());
    ExpectHolds(0, count, bytes);
    for (size_t i = 0; i < count; ++i) {
      auto erased = store_->Erase("name " + std::to_string(i));
      ASSERT_TRUE(erased) << i << ": " << erased.error().message;
    }
  }
}

TEST_F(FullDiskTest, ErasingMakesRoomAgain) {
  const size_t count = Fill(20'000);
  for (size_t i = 0; i < count / 2; ++i) ASSERT_TRUE(store_->Erase("name " + std::to_string(i)));
  size_t again = 0;
  while (again < count / 2 && store_->Put("new " + std::to_string(again), Content(0, 20'000))) {
    ++again;
  }
  EXPECT_GT(again, count / 4);
  ExpectHolds(count / 2, count, 20'000);
}

TEST_F(FullDiskTest, ReadsAndSmallDeletesGoOn) {
  const size_t count = Fill(500);
  for (size_t i = 0; i < count; ++i) {
    auto erased = store_->Erase("name " + std::to_string(i));
    ASSERT_TRUE(erased) << i << " of " << count << ": " << erased.error().message;
    if (i % 100 == 0) ExpectHolds(i + 1, std::min(i + 50, count), 500);
  }
  EXPECT_EQ(store_->GetStats().entries, 0u);
}

TEST_F(FullDiskTest, StaysUsableOverAndOver) {
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const size_t count = Fill(9'000);
    EXPECT_GT(count, 300u);
    for (size_t i = 0; i < count; ++i) {
      auto erased = store_->Erase("name " + std::to_string(i));
      ASSERT_TRUE(erased) << i << ": " << erased.error().message;
    }
    ASSERT_TRUE(store_->Checkpoint());
    EXPECT_EQ(store_->GetStats().block_bytes_used, 0u);
  }
}

// Deletes will meet the tree of the next checkpoint, not of the last one.
TEST_F(FullDiskTest, DeletesFindRoomInATreeThatAFullDiskHasMade) {
  for (const uint32_t shards : {1u, 2u, 8u}) {
    for (const uint32_t page_bytes : {kLeastPageBytes, kLeastPageBytes * 4}) {
      for (const size_t bytes : {size_t{40}, size_t{700}, size_t{9'000}}) {
        SCOPED_TRACE(std::to_string(shards) + " shards, pages of " + std::to_string(page_bytes) +
                     " bytes, values of " + std::to_string(bytes));
        CreateOptions options;
        options.shards = shards;
        options.page_bytes = page_bytes;
        options.hash_seed = 1;
        fresh_ = std::make_unique<MemoryEnv>();
        MemoryEnv& disk = *fresh_;
        ASSERT_TRUE(Store::Create(disk, "store", options));
        auto opened = Store::Open(disk, "store");
        ASSERT_TRUE(opened) << opened.error().message;
        store_ = *std::move(opened);
        disk.SetCapacity(UsedBytes(disk) + (1 << 20));
        const size_t count = Fill(bytes);
        // The first ones, and then some from everywhere.
        for (size_t i = 0; i < count; i += i < 100 ? 1 : 1 + count / 100) {
          auto erased = store_->Erase("name " + std::to_string(i));
          ASSERT_TRUE(erased) << i << " of " << count << ": " << erased.error().message;
        }
        store_.reset();
      }
    }
  }
}

// The space that closing keeps is all there is, once others have filled the disk.
TEST_F(FullDiskTest, DeletesFindRoomInAClosedStoreWhenOthersHaveFilledTheDisk) {
  struct Shape {
    uint32_t shards;
    uint32_t page_bytes;
    int count;
    size_t bytes;
  };
  for (const Shape& shape :
       {Shape{1, 16384, 12, 5'000'000}, Shape{1, 16384, 50, 100'000}, Shape{1, 16384, 3'000, 100},
        Shape{1, 4096, 100, 100'000}, Shape{1, 32768, 20, 1'000'000}, Shape{2, 16384, 400, 100'000},
        Shape{4, 16384, 100, 1'000'000}, Shape{8, 16384, 3'000, 1'000}}) {
    SCOPED_TRACE(std::to_string(shape.shards) + " shards, pages of " +
                 std::to_string(shape.page_bytes) + " bytes, " + std::to_string(shape.count) +
                 " values of " + std::to_string(shape.bytes));
    CreateOptions options;
    options.shards = shape.shards;
    options.page_bytes = shape.page_bytes;
    options.hash_seed = 1;
    fresh_ = std::make_unique<MemoryEnv>();
    MemoryEnv& disk = *fresh_;
    ASSERT_TRUE(Store::Create(disk, "store", options));
    store_ = *Store::Open(disk, "store");
    const std::string value(shape.bytes, 'x');
    for (int i = 0; i < shape.count; ++i) {
      ASSERT_TRUE(store_->Put("name " + std::to_string(i), value));
    }
    ASSERT_TRUE(store_->Close());
    disk.SetCapacity(UsedBytes(disk));
    auto opened = Store::Open(disk, "store");
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
    for (int i = 0; i < shape.count; i += 1 + shape.count / 50) {
      auto erased = store_->Erase("name " + std::to_string(i));
      ASSERT_TRUE(erased) << i << ": " << erased.error().message;
    }
    store_.reset();
  }
}

}  // namespace
}  // namespace kvfs
