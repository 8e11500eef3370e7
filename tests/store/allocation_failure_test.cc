// Each allocation fails once: during opening, changes, reads, checkpoints, compaction and closing;
// then during every operation of a store, a repair and a dump. No exception leaves the store; and
// when it is opened without the failure, everything acknowledged is present, and nothing is
// damaged.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <system_error>

#include <kvfs/dump.h>
#include <kvfs/repair.h>
#include "store/base/out_of_memory.h"
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"
#include "tests/support/temporary_directory.h"

namespace {

// Counts down to the allocation that fails; 0 if none fails.
std::atomic<int64_t> allocations_left{0};

void* Allocate(size_t size) {
  if (allocations_left.load(std::memory_order_relaxed) > 0 && --allocations_left == 0) {
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace kvfs {
namespace {

constexpr int kKeys = 40;

std::string NameOf(int i) { return "key " + std::to_string(i); }
std::string ValueOf(int i) {
  return std::string(i % 10 == 0 ? 20'000 : 50, static_cast<char>('a' + i % 26));
}

class AllocationFailure : public testing::Test {
 protected:
  // With some keys in its tree, some in its log, and names for the values prepared in advance.
  void SetUp() override {
    for (int i = 0; i < 2 * kKeys; ++i) {
      names_.push_back(NameOf(i));
      values_.push_back(ValueOf(i));
    }
  }

  void MakeStore() {
    path_ = directory_.path() + "/store-" + std::to_string(stores_++);
    ASSERT_TRUE(Store::Create(GetPosixEnv(), path_, SmallStore(2, 4096)));
    auto store = Store::Open(GetPosixEnv(), path_, Quiet()).value();
    for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(store->Put(names_[Index(i)], values_[Index(i)]));
    ASSERT_TRUE(store->Close());
  }

  static size_t Index(int i) { return static_cast<size_t>(i); }
  static OpenOptions Quiet() {
    OpenOptions options;
    options.idle_ms = 0;
    return options;
  }

  static bool IsOfMemory(const Error& error) {
    return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kReadOnly ||
           error.code == ErrorCode::kIo;
  }

  // Runs everything once, with the n-th allocation failing; false if there are fewer.
  bool UseWith(int64_t nth) {
    acknowledged_ = kKeys;
    std::string value;
    value.reserve(64'000);
    allocations_left = nth;
    auto store = Store::Open(GetPosixEnv(), path_, Quiet());
    if (store) {
      const auto held = (*store)->ReadAll({kRootDirectory, names_[10]}, &value);
      int listed = 0;
      const auto list =
          (*store)->List(kRootDirectory, 0, [&](const ListedEntry&) { return ++listed > 0; });
      Result<void> put;
      for (int i = kKeys; put && i < 2 * kKeys; ++i) {
        put = (*store)->Put(names_[Index(i)], values_[Index(i)]);
        if (put) acknowledged_ = i + 1;
        if (put && i % 20 == 0) put = (*store)->Checkpoint();
        if (put && i % 10 == 0) put = (*store)->Sync();
      }
      const auto compacted = (*store)->Compact();
      const auto closed = (*store)->Close();
      const bool has_struck = allocations_left.exchange(0) <= 0;
      EXPECT_TRUE(held || IsOfMemory(held.error())) << held.error().message;
      EXPECT_TRUE(list || IsOfMemory(list.error())) << list.error().message;
      EXPECT_TRUE(put || IsOfMemory(put.error())) << put.error().message;
      EXPECT_TRUE(compacted || IsOfMemory(compacted.error())) << compacted.error().message;
      EXPECT_TRUE(!list || listed >= kKeys);
      return has_struck;
    }
    allocations_left = 0;
    EXPECT_TRUE(IsOfMemory(store.error())) << store.error().message;
    return true;
  }

  void ExpectWhole() {
    auto store = Store::Open(GetPosixEnv(), path_, Quiet());
    ASSERT_TRUE(store) << store.error().message;
    for (int i = 0; i < acknowledged_; ++i) {
      const auto value = (*store)->Get(names_[Index(i)]);
      ASSERT_TRUE(value) << names_[Index(i)] << ": " << value.error().message;
      ASSERT_TRUE(*value == values_[Index(i)]) << names_[Index(i)];
    }
    CheckOptions options;
    options.on_finding = [](const CheckFinding& finding) { ADD_FAILURE() << finding.message; };
    ASSERT_TRUE((*store)->Check(options));
    ASSERT_TRUE((*store)->Checkpoint());
    ASSERT_TRUE((*store)->Check(options));
  }

  TemporaryDirectory directory_;
  std::string path_;
  std::vector<std::string> names_, values_;
  int stores_ = 0;
  int acknowledged_ = 0;
};

// Calls of all kinds, prepared in advance, so that only the store allocates memory.
class AllocationFailureOfCalls : public AllocationFailure {
 protected:
  using Call = std::function<std::optional<ErrorCode>(Store&)>;

  void SetUp() override {
    AllocationFailure::SetUp();
    out_.resize(200'000);
    text_.reserve(400'000);
    AddBatches();
    AddReads();
    Add([this](Store& it) {
      return CodeOf(it.CopyRange(large_, 100, work_, 8192, 50'000, MetaEdit()));
    });
    AddErasures();
    Add([](Store& it) { return CodeOf(it.Check({})); });
    Add([](Store& it) { return CodeOf(it.GetDiskSpace()); });
    Add([](Store& it) { return CodeOf(it.Checkpoint()); });
    Add([this](Store&) {
      return CodeOf(DumpFile(GetPosixEnv(), keys_path_, [](std::string_view) { return true; }));
    });
  }

  template <typename T>
  static std::optional<ErrorCode> CodeOf(const Result<T>& done) {
    if (done) return {};
    return done.error().code;
  }
  void Add(Call call) { calls_.push_back(std::move(call)); }
  void AddBatch(const std::function<void(Batch&)>& fill) {
    auto batch = std::make_shared<Batch>();
    fill(*batch);
    Add([batch](Store& it) { return CodeOf(it.Apply(*batch)); });
  }
  void AddBatches() {
    MetaEdit edit = [](std::string& meta) { meta = "m"; };
    AddBatch([&](Batch& it) { it.Put(large_, AsBytes(large_value_), "meta"); });
    AddBatch([&](Batch& it) { it.Write(large_, 5, AsBytes(large_value_), edit); });
    AddBatch([&](Batch& it) { it.Write(large_, 1'000'000, AsBytes(small_value_)); });
    AddBatch([&](Batch& it) { it.Put(work_, AsBytes(small_value_), "meta"); });
    AddBatch([&](Batch& it) { it.Write(work_, 5000, AsBytes(small_value_), edit); });
    AddBatch([&](Batch& it) { it.Resize(work_, 30'000); });
    AddBatch([&](Batch& it) { it.Allocate(work_, 0, 30'000); });
    AddBatch([&](Batch& it) { it.Punch(large_, 10'000, 90'000, edit); });
    AddBatch([&](Batch& it) { it.Exchange(work_, large_, edit, edit); });
    AddBatch([&](Batch& it) { it.Exchange(work_, large_); });
    AddBatch([&](Batch& it) { it.Move(work_, other_, edit); });
    AddBatch([&](Batch& it) { it.Move(other_, work_); });
    AddBatch([&](Batch& it) { it.EditMeta(work_, edit); });
    AddBatch([&](Batch& it) {
      for (const std::string& name : names_) it.Put({100, name}, AsBytes(small_value_));
    });
  }
  void AddErasures() {
    AddBatch([&](Batch& it) { it.Resize(large_, 20'000); });
    AddBatch([&](Batch& it) { it.Erase(large_); });
  }
  void AddReads() {
    Add([this](Store& it) { return CodeOf(it.Stat(work_)); });
    Add([this](Store& it) { return CodeOf(it.Read(large_, 3, out_)); });
    Add([this](Store& it) { return CodeOf(it.FindData(large_, 5000)); });
    Add([this](Store& it) { return CodeOf(it.FindHole(large_, 5000)); });
    Add([this](Store& it) -> std::optional<ErrorCode> {
      const auto snapshot = it.TakeSnapshot();
      if (!snapshot) return snapshot.error().code;
      const auto read = (*snapshot)->ReadAll(work_, &text_);
      const auto found = (*snapshot)->FindHole(large_, 0);
      return read ? CodeOf(found) : CodeOf(read);
    });
  }

  // False if there are fewer allocations.
  bool CallWith(int64_t nth) {
    auto store = Store::Open(GetPosixEnv(), path_, Quiet()).value();
    std::vector<std::optional<ErrorCode>> codes(calls_.size());
    allocations_left = nth;
    for (size_t i = 0; i < calls_.size(); ++i) codes[i] = calls_[i](*store);
    const bool has_struck = allocations_left.exchange(0) <= 0;
    for (size_t i = 0; i < codes.size(); ++i) {
      const ErrorCode code = codes[i].value_or(ErrorCode::kUnavailable);
      EXPECT_TRUE(code == ErrorCode::kUnavailable || code == ErrorCode::kReadOnly ||
                  code == ErrorCode::kIo || (has_struck && code == ErrorCode::kNotFound))
          << "call " << i << " ends with " << static_cast<int>(code);
    }
    EXPECT_EQ(store->GetStats().snapshots, 0u);
    return has_struck;
  }

  const Key large_{kRootDirectory, "large"}, work_{kRootDirectory, "work"}, other_{100, "other"};
  const std::string large_value_ = std::string(180'000, 'l'), small_value_ = std::string(700, 's');
  std::string keys_path_, text_;
  std::vector<std::byte> out_;
  std::vector<Call> calls_;
};

TEST_F(AllocationFailureOfCalls, IsAnErrorOfTheCall) {
  MakeStore();
  keys_path_ = path_ + "/shard-00.keys";
  acknowledged_ = kKeys;
  int64_t nth = 1;
  for (bool has_struck = true; has_struck && !HasFailure();
       nth += (kRepeatsLess ? 40 : 2) + nth / 40) {
    SCOPED_TRACE("allocation " + std::to_string(nth));
    has_struck = CallWith(nth);
    ExpectWhole();
  }
  EXPECT_GT(nth, 400);
}

// A snapshot that could not be taken keeps no pages alive.
TEST_F(AllocationFailureOfCalls, LeavesNoSnapshotBehind) {
  MakeStore();
  const auto store = Store::Open(GetPosixEnv(), path_, Quiet()).value();
  int64_t nth = 1;
  for (bool has_struck = true; has_struck; ++nth) {
    allocations_left = nth;
    const auto snapshot = store->TakeSnapshot();
    has_struck = allocations_left.exchange(0) <= 0;
    EXPECT_EQ(snapshot.has_value(), !has_struck);
    EXPECT_EQ(store->GetStats().snapshots, snapshot ? 1u : 0u) << "allocation " << nth;
  }
  EXPECT_GT(nth, 3);
}

TEST_F(AllocationFailureOfCalls, IsAnErrorOfARepair) {
  MakeStore();
  const std::string target = directory_.path() + "/repaired";
  int64_t nth = 1;
  for (bool has_struck = true; has_struck && !HasFailure(); nth += 10 + nth / 10) {
    SCOPED_TRACE("allocation " + std::to_string(nth));
    std::filesystem::remove_all(target);
    allocations_left = nth;
    const auto report = RepairStore(GetPosixEnv(), path_, target);
    has_struck = allocations_left.exchange(0) <= 0;
    EXPECT_TRUE(report || (has_struck && IsOfMemory(report.error()))) << report.error().message;
    if (report) {
      EXPECT_EQ(report->losses, 0u);
      EXPECT_EQ(report->entries, static_cast<uint64_t>(kKeys));
    }
  }
  EXPECT_GT(nth, 200);
}

TEST(WithinMemoryTest, OtherExceptionsGoOn) {
  const auto no_thread = WithinMemory([]() -> Result<void> {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  });
  ASSERT_FALSE(no_thread);
  EXPECT_EQ(no_thread.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(no_thread.error().message.find("threads"), std::string::npos);
  EXPECT_THROW(static_cast<void>(WithinMemory([]() -> Result<void> { throw 1; })), int);
}

TEST_F(AllocationFailure, IsAnErrorAndLosesNothing) {
  int64_t nth = 1;
  for (bool has_struck = true; has_struck && !HasFailure();
       nth += (kIsSanitized ? 40 : 5) + nth / 60) {
    SCOPED_TRACE("allocation " + std::to_string(nth));
    MakeStore();
    has_struck = UseWith(nth);
    ExpectWhole();
  }
  EXPECT_GT(nth, 500);
}

}  // namespace
}  // namespace kvfs
