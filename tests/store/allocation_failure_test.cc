// Each allocation fails once: opening, changing, reading, checkpoints, compacting, closing. No
// exception leaves the store; what was acknowledged is there when it is opened without the failure,
// and no damage.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"
#include "tests/support/temporary_directory.h"

namespace {

// Counts down to the allocation that fails; 0 where none is to.
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
  // With some keys in its tree, some in its log, and names for the values made beforehand.
  void SetUp() override {
    for (int i = 0; i < 2 * kKeys; ++i) {
      names_.push_back(NameOf(i));
      values_.push_back(ValueOf(i));
    }
  }

  void MakeStore() {
    path_ = directory_.path() + "/store-" + std::to_string(stores_++);
    CreateOptions create;
    create.shards = 2;
    create.page_bytes = 4096;
    create.log_segment_bytes = uint64_t{1} << 20;
    create.log_limit_bytes = uint64_t{4} << 20;
    ASSERT_TRUE(Store::Create(GetPosixEnv(), path_, create));
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

  // Everything once, with the n-th allocation failing; false if there are fewer.
  bool UseWith(int64_t nth) {
    acknowledged_ = kKeys;
    std::string value;
    value.reserve(64'000);
    allocations_left = nth;
    auto store = Store::Open(GetPosixEnv(), path_, Quiet());
    if (store) {
      const auto held = (*store)->ReadAll({kRootSpace, names_[10]}, &value);
      int listed = 0;
      const auto list =
          (*store)->List(kRootSpace, 0, [&](const ListedEntry&) { return ++listed > 0; });
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
