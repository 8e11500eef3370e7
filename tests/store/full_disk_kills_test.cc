// On a disk that others have filled, everything can be deleted, one entry after another, however
// often the process is killed in between, and whatever part of its space it left half used (P6,
// P3). Covers the counts of preallocated space, the needs of a replay, and what the disk reports.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "store/env/memory_env.h"
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"

namespace kvfs {
namespace {

enum class Filled { kOpen, kClosed, kKilled };

struct Shape {
  uint32_t shards;
  uint32_t page_bytes;
  size_t count;
  size_t most_bytes;
};

class FullDiskKillsTest : public testing::TestWithParam<Shape> {
 protected:
  void Open() {
    OpenOptions options;
    options.idle_ms = 0;
    auto opened = Store::Open(*disk_, "store", options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  // Others may take all space that is freed meanwhile.
  void Kill(bool others_take) {
    auto image = disk_->CrashImage({CrashChoice::Kind::kAll, 0});
    disk_->FailPowerAt(disk_->OperationCount() + 1);
    store_.reset();
    disk_ = std::move(image);
    if (others_take) TakeRoom();
    Open();
  }

  void TakeRoom() {
    const DiskSpace space = disk_->GetDiskSpace("").value();
    disk_->SetCapacity(space.total_bytes - space.available_bytes);
  }

  std::string Value() {
    std::string value(random_() % GetParam().most_bytes, '\0');
    for (size_t i = 0; i < value.size(); i += 7) value[i] = static_cast<char>(random_());
    return value;
  }

  void Put(size_t number) {
    const std::string name = "name " + std::to_string(number);
    std::string value = Value();
    ASSERT_TRUE(store_->Put(name, value));
    values_[name] = std::move(value);
  }

  void Fill(Filled filled) {
    for (size_t i = 0; i < GetParam().count; ++i) Put(i);
    ASSERT_TRUE(random_() % 2 == 0 || store_->Checkpoint());
    for (size_t i = 0; i < GetParam().count / 4; ++i) Put(random_() % GetParam().count);
    ASSERT_TRUE(filled != Filled::kClosed || store_->Close());
    if (filled == Filled::kKilled) return Kill(true);
    TakeRoom();
    if (filled == Filled::kClosed) Open();
  }

  void ExpectHoldsWhatIsLeft() {
    for (const auto& [name, value] : values_) {
      const auto got = store_->Get(name);
      ASSERT_TRUE(got) << name << ": " << got.error().message;
      ASSERT_EQ(*got, value) << name;
    }
    ASSERT_EQ(store_->GetStats().entries, values_.size());
  }

  void DeleteAll(bool others_take) {
    std::vector<std::string> names;
    for (const auto& [name, value] : values_) names.push_back(name);
    std::ranges::shuffle(names, random_);
    const size_t often = std::max<size_t>(names.size() / (kIsSanitized ? 6 : 20), 4);
    for (size_t i = 0; i < names.size(); ++i) {
      if (random_() % often == 0) Kill(others_take);
      if (HasFatalFailure()) return;
      const auto erased = store_->Erase(names[i]);
      ASSERT_TRUE(erased) << i << " of " << names.size() << ": " << erased.error().message;
      values_.erase(names[i]);
      if (i == names.size() / 2) ExpectHoldsWhatIsLeft();
    }
    ExpectHoldsWhatIsLeft();
    ExpectSound(*store_);
  }

  std::unique_ptr<MemoryEnv> disk_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::string> values_;
  std::mt19937_64 random_;
};

TEST_P(FullDiskKillsTest, EverythingCanBeDeleted) {
  uint64_t seed = 1;
  for (const bool tells : {true, false}) {
    for (const Filled filled : {Filled::kOpen, Filled::kClosed, Filled::kKilled}) {
      for (const bool others_take : {false, true}) {
        SCOPED_TRACE("seed " + std::to_string(seed) + (tells ? "" : ", parts are not told") +
                     (others_take ? ", others take what is freed" : "") + ", filled when it was " +
                     std::to_string(static_cast<int>(filled)));
        random_.seed(seed++);
        values_.clear();
        disk_ = std::make_unique<MemoryEnv>();
        disk_->SetTellsBackedParts(tells);
        CreateOptions options;
        options.shards = GetParam().shards;
        options.page_bytes = GetParam().page_bytes;
        options.hash_seed = seed;
        ASSERT_TRUE(Store::Create(*disk_, "store", options));
        Open();
        Fill(filled);
        if (HasFatalFailure()) return;
        DeleteAll(others_take);
        store_.reset();
        if (HasFatalFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, FullDiskKillsTest,
                         testing::Values(Shape{8, 16384, 110, 102'400}, Shape{8, 16384, 600, 6'000},
                                         Shape{8, 16384, 3'000, 200},
                                         Shape{1, 16384, 12, 1'000'000}, Shape{1, 4096, 400, 9'000},
                                         Shape{2, 4096, 1'500, 700}));

}  // namespace
}  // namespace kvfs
