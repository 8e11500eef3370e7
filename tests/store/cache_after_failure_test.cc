// The page cache after a failure: what a dead process wrote can be read, but may not be on disk. An
// opening that finds it makes it durable itself, before any sync succeeds: after each failing sync,
// and each death of the process, the store is reopened with the same cache, followed by a put, a
// successful sync, and a power failure.
#include <gtest/gtest.h>

#include "store/env/memory_env.h"
#include "tests/store/model.h"
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr uint64_t kStride = kIsSanitized ? 5 : 1;

Result<std::unique_ptr<Store>> Open(Env& env) {
  OpenOptions options;
  options.idle_ms = 0;
  return Store::Open(env, "store", options);
}

class CacheAfterFailure : public testing::Test {
 protected:
  void Create() {
    disk_ = std::make_unique<MemoryEnv>();
    ASSERT_TRUE(Store::Create(*disk_, "store", SmallStore(2, 4096)));
  }

  // Small and large values, syncs and checkpoints; then the process dies. False if a step failed
  // before.
  static bool Run(MemoryEnv& disk) {
    auto store = Open(disk);
    if (!store) return false;
    const bool done = RunOn(**store).has_value();
    disk.KillProcess();
    return done;
  }
  static Result<void> RunOn(Store& store) {
    const std::string large(40'000, 'l');
    for (int round = 0; round < 3; ++round) {
      const std::string number = std::to_string(round);
      KVFS_TRY(store.Put("small " + number, "value"));
      KVFS_TRY(store.Put("large " + number, large));
      KVFS_TRY(store.Sync());
      Batch batch;
      batch.Write({kRootDirectory, "large 0"}, 100, AsBytes(number));
      KVFS_TRY(store.Apply(batch));
      KVFS_TRY(store.Put("late " + number, large));
      if (round != 1) KVFS_TRY(store.Checkpoint());
    }
    return {};
  }

  // Another process finds what is in the cache, and its sync succeeds: then the power fails.
  void ExpectWhatIsSyncedNowLasts(int random_images) {
    auto store = Open(*disk_);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->Put("after", "value"));
    ASSERT_TRUE((*store)->Sync());
    const Model promised = ReadStore(**store).value();
    std::vector<CrashChoice> choices = {{CrashChoice::Kind::kNone, 0}};
    for (int seed = 1; seed <= random_images; ++seed) {
      choices.push_back({CrashChoice::Kind::kTorn, static_cast<uint64_t>(seed)});
    }
    for (const CrashChoice& choice : choices) {
      SCOPED_TRACE(choice.ToText());
      auto image = disk_->CrashImage(choice);
      auto found = Open(*image);
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ(Difference(promised, ReadStore(**found).value()), "");
      ExpectSound(**found);
    }
    disk_->KillProcess();
  }

  void FailSync(OperationKind kind, uint64_t nth) {
    disk_->InjectFault({.kind = kind, .nth = nth});
  }

  std::unique_ptr<MemoryEnv> disk_;
};

TEST_F(CacheAfterFailure, EachFailingSync) {
  for (const OperationKind kind : {OperationKind::kSync, OperationKind::kSyncDirectory}) {
    for (uint64_t nth = 1;; nth += kStride) {
      SCOPED_TRACE(std::string(NameOf(kind)) + " number " + std::to_string(nth));
      Create();
      FailSync(kind, nth);
      Run(*disk_);
      if (disk_->PendingFaults() > 0) {
        EXPECT_GT(nth, kind == OperationKind::kSync ? 20u : 1u);
        break;
      }
      ExpectWhatIsSyncedNowLasts(3);
      if (HasFailure()) return;
    }
  }
}

// The next process meets a failing sync, too; then a third one opens the store.
TEST_F(CacheAfterFailure, AFailingSyncAfterAnother) {
  uint64_t pairs = 0;
  for (uint64_t first = 1;; first += 7 * kStride) {
    Create();
    FailSync(OperationKind::kSync, first);
    Run(*disk_);
    if (disk_->PendingFaults() > 0) break;
    for (uint64_t second = 1 + first % 2;; second += 2 * kStride) {
      SCOPED_TRACE("Sync number " + std::to_string(first) + ", then " + std::to_string(second));
      Create();
      FailSync(OperationKind::kSync, first);
      Run(*disk_);
      FailSync(OperationKind::kSync, second);
      Run(*disk_);
      if (disk_->PendingFaults() > 0) break;
      disk_->KillProcess();
      ExpectWhatIsSyncedNowLasts(1);
      if (HasFailure()) return;
      ++pairs;
    }
  }
  EXPECT_GT(pairs, 30u / kStride / kStride);
}

// No sync fails, but the process dies, at each of its changes of the disk; during creation, too.
TEST_F(CacheAfterFailure, EachEndOfAProcess) {
  for (uint64_t operation = 1;; operation += kStride) {
    SCOPED_TRACE("the process ends at operation " + std::to_string(operation));
    disk_ = std::make_unique<MemoryEnv>();
    disk_->FailPowerAt(operation);
    const bool is_done = Store::Create(*disk_, "store", SmallStore(2, 4096)) && Run(*disk_);
    disk_->KillProcess();
    if (is_done) {
      EXPECT_GT(operation, 60u);
      break;
    }
    auto opened = Open(*disk_);
    if (!opened && opened.error().code == ErrorCode::kNotFound) continue;  // it was not created
    if (opened) disk_->KillProcess();
    opened = Fail(ErrorCode::kInvalid);
    ExpectWhatIsSyncedNowLasts(1);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace kvfs
