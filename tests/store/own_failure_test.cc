// Failures of the process, or of its machine, while it reads: no memory, no address space, no
// permission, a moment in which the disk does not answer. However often it occurs, each failure is
// reported as such, never as damage, as an absent key or as success; and a store opened afterwards
// without failures holds everything, and has recorded no damage.
//
// A failure is reported with the number of the read operation that failed first.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include <kvfs/repair.h>
#include "store/env/memory_env.h"
#include "tests/store/model.h"
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

// Which operations fail after the n-th one: each of the first ones, then fewer and fewer.
uint64_t After(uint64_t nth) { return nth + (kRepeatsLess ? 5 : 1) + nth / 8; }

constexpr size_t kLargeBytes = 150'000;

struct Failure {
  const char* name;
  ErrorCode code;
  bool lasts;
};

void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.name; }

std::string ValueOf(int i) {
  const std::string text = "value " + std::to_string(i) + " ";
  std::string value;
  const size_t bytes = i % 100 == 0 ? kLargeBytes : i % 7 == 0 ? 9'000 : 60;
  while (value.size() < bytes) value += text;
  return value;
}
std::string NameOf(int i) { return "key " + std::to_string(i); }

class OwnFailureTest : public testing::TestWithParam<Failure> {
 protected:
  static constexpr int kInTree = 200;  // at the checkpoint
  static constexpr int kKeys = 240;    // including those only in the log

  // A store that was not closed, with trees of two levels and a log that changes them.
  static void SetUpTestSuite() {
    MemoryEnv disk;
    ASSERT_TRUE(Store::Create(disk, "store", SmallStore(2, 4096)));
    OpenOptions open;
    open.idle_ms = 0;
    auto store = Store::Open(disk, "store", open).value();
    for (int i = 0; i < kInTree; ++i) ASSERT_TRUE(store->Put(NameOf(i), ValueOf(i)));
    ASSERT_TRUE(store->Checkpoint());
    for (int i = kInTree; i < kKeys; ++i) ASSERT_TRUE(store->Put(NameOf(i), ValueOf(i)));
    Batch batch;
    for (int i = 0; i < kInTree; i += 25) {  // changes that depend on the contents of pages
      batch.Write({kRootDirectory, names_.emplace_back(NameOf(i))}, 0, AsBytes(kOver));
    }
    ASSERT_TRUE(store->Apply(batch));
    killed_ = disk.CrashImage({CrashChoice::Kind::kAll, 0});
  }
  static void TearDownTestSuite() { killed_.reset(); }

  static std::string Expected(int i) {
    std::string value = ValueOf(i);
    if (i < kInTree && i % 25 == 0) value.replace(0, kOver.size(), kOver);
    return value;
  }

  static std::unique_ptr<MemoryEnv> Disk() {
    return killed_->CrashImage({CrashChoice::Kind::kAll, 0});
  }

  static bool Excuses(const Error& error) {
    return error.code == GetParam().code || error.code == ErrorCode::kUnavailable ||
           error.code == ErrorCode::kReadOnly;
  }
  template <typename T>
  static void ExpectExcused(const Result<T>& done, const char* what) {
    if (done) return;
    EXPECT_TRUE(Excuses(done.error())) << what << ": " << done.error().message;
  }

  static void ExpectReads(const Store& store, int from) {
    for (int i = from; i < kKeys; i += 17) {
      const auto value = store.Get(NameOf(i));
      ExpectExcused(value, "get");
      EXPECT_TRUE(!value || *value == Expected(i)) << NameOf(i);
    }
    int count = 0;
    const auto listed =
        store.List(kRootDirectory, 0, [&](const ListedEntry&) { return ++count > 0; });
    ExpectExcused(listed, "list");
    EXPECT_TRUE(!listed || count >= kKeys) << count;
    CheckOptions options;
    options.on_finding = [](const CheckFinding& finding) { ADD_FAILURE() << finding.message; };
    ExpectExcused(store.Check(options), "check");
  }

  // Returns the keys, from kKeys on, that were put.
  static std::vector<int> Use(Env& disk, bool read_only) {
    std::vector<int> acknowledged;
    OpenOptions open;
    open.idle_ms = 0;
    open.read_only = read_only;
    auto store = Store::Open(disk, "store", open);
    ExpectExcused(store, "open");
    if (!store) return acknowledged;
    ExpectReads(**store, 0);
    if (read_only) return acknowledged;
    for (int i = kKeys; i < kKeys + 3; ++i) {
      const auto put = (*store)->Put(NameOf(i), ValueOf(i));
      ExpectExcused(put, "put");
      if (put) acknowledged.push_back(i);
      ExpectExcused((*store)->Checkpoint(), "checkpoint");
    }
    ExpectExcused((*store)->Compact(), "compact");
    ExpectReads(**store, 20);
    ExpectExcused((*store)->Close(), "close");
    return acknowledged;
  }

  static void ExpectWhole(Env& disk, const std::vector<int>& acknowledged) {
    auto store = Store::Open(disk, "store");
    ASSERT_TRUE(store) << store.error().message;
    for (int i = 0; i < kKeys; ++i) {
      const auto value = (*store)->Get(NameOf(i));
      ASSERT_TRUE(value) << NameOf(i) << ": " << value.error().message;
      ASSERT_TRUE(*value == Expected(i)) << NameOf(i);
    }
    for (const int i : acknowledged) EXPECT_TRUE((*store)->Get(NameOf(i)) == ValueOf(i));
    ExpectSound(**store);
    ASSERT_TRUE((*store)->Checkpoint());
    ExpectSound(**store);
  }

  // Runs every operation with the n-th read failing; false if there are fewer.
  static bool TryWith(uint64_t nth, bool read_only) {
    SCOPED_TRACE("operation " + std::to_string(nth));
    const auto disk = Disk();
    disk->InjectFault({.kind = OperationKind::kRead,
                       .nth = nth,
                       .code = GetParam().code,
                       .lasts = GetParam().lasts});
    const auto acknowledged = Use(*disk, read_only);
    if (disk->PendingFaults() > 0 && !disk->HasLastingFault()) return false;
    ExpectWhole(*disk->CrashImage({CrashChoice::Kind::kAll, 0}), acknowledged);
    return !HasFailure();
  }

  static constexpr std::string_view kOver = "over";
  static inline std::deque<std::string> names_;
  static inline std::unique_ptr<MemoryEnv> killed_;
};

INSTANTIATE_TEST_SUITE_P(Failures, OwnFailureTest,
                         testing::Values(Failure{"UnavailableOnce", ErrorCode::kUnavailable, false},
                                         Failure{"UnavailableForGood", ErrorCode::kUnavailable,
                                                 true},
                                         Failure{"ForbiddenOnce", ErrorCode::kPermission, false},
                                         Failure{"ADiskThatFailsOnce", ErrorCode::kIo, false}),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(OwnFailureTest, IsNeverDamage) {
  uint64_t nth = 1;
  while (TryWith(nth, false)) nth = After(nth);
  EXPECT_GT(nth, 40u);
}

TEST_P(OwnFailureTest, IsNeverDamageOfWhatIsOnlyRead) {
  uint64_t nth = 1;
  while (TryWith(nth, true)) nth = After(nth);
  EXPECT_GT(nth, 40u);
}

// Missing data would be reported as lost, and the repaired store be taken for complete.
TEST_P(OwnFailureTest, IsNoLossOfARepair) {
  if (GetParam().code == ErrorCode::kIo) return;  // a loss, unless it is read again
  uint64_t nth = 1;
  for (bool has_more = true; has_more; nth = After(nth)) {
    SCOPED_TRACE("operation " + std::to_string(nth));
    const auto disk = Disk();
    disk->InjectFault({.kind = OperationKind::kRead,
                       .path_contains = "store/",
                       .nth = nth,
                       .code = GetParam().code,
                       .lasts = GetParam().lasts});
    RepairOptions options;
    options.on_loss = [](std::string_view loss) { ADD_FAILURE() << loss; };
    const auto report = RepairStore(*disk, "store", "repaired", options);
    has_more = disk->HasLastingFault() || disk->PendingFaults() == 0;
    if (report) {
      EXPECT_EQ(report->entries, static_cast<uint64_t>(kKeys));
    } else {
      EXPECT_TRUE(has_more && Excuses(report.error())) << report.error().message;
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(nth, 40u);
}

}  // namespace
}  // namespace kvfs
