// Quantities that must not grow with the store: the memory for changes, the memory of the process,
// the log, the work of an opening; and one that must shrink with it: its files.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <kvfs/env.h>
#include <kvfs/store.h>
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

constexpr uint64_t kMiB = 1 << 20;

std::string Name(uint64_t i) { return "name " + std::to_string(i * 0x9e3779b97f4a7c15); }

// Anonymous memory of this process. (Sanitizers keep much of their own.)
uint64_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) << 10;
  }
  ADD_FAILURE() << "/proc/self/status tells no RssAnon";
  return 0;
}

// A file may be removed meanwhile.
uint64_t FileBytesIn(const std::string& directory) {
  uint64_t total = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::error_code error;
    const uint64_t bytes = std::filesystem::file_size(entry.path(), error);
    if (!error) total += bytes;
  }
  return total;
}

constexpr uint64_t kMany = kIsSanitized ? 20'000 : 100'000;

class BoundsTest : public testing::Test {
 protected:
  BoundsTest() { Create("store"); }

  std::string PathOf(const std::string& name) const { return directory_.path() + "/" + name; }
  void Create(const std::string& name) {
    CreateOptions options;
    options.log_segment_bytes = kMiB;
    options.log_limit_bytes = 16 * kMiB;
    ASSERT_TRUE(Store::Create(GetPosixEnv(), PathOf(name), options));
  }
  std::unique_ptr<Store> Open(const std::string& name = "store") {
    OpenOptions options;
    options.dirty_limit_bytes = kDirtyLimit;
    options.idle_ms = 0;
    return Store::Open(GetPosixEnv(), PathOf(name), options).value();
  }
  // Puts `count` entries of 100 bytes, a batch of 100 at a time.
  static void Fill(Store& store, uint64_t begin, uint64_t end) {
    const std::string value(100, 'v');
    for (uint64_t i = begin; i < end;) {
      std::vector<std::string> names;
      for (; i < end && names.size() < 100; ++i) names.push_back(Name(i));
      Batch batch;
      for (const std::string& name : names) batch.Put({kRootDirectory, name}, AsBytes(value));
      auto done = store.Apply(batch);
      ASSERT_TRUE(done) << done.error().message;
    }
  }
  static void Erase(Store& store, uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) ASSERT_TRUE(store.Erase(Name(i)));
  }

  // The process uses at most this much more memory than `before`.
  static void ExpectGrownBy(uint64_t before, uint64_t at_most) {
    if (kIsSanitized) return;
    EXPECT_LE(AnonymousBytes(), before + at_most);
  }

  static constexpr uint64_t kDirtyLimit = 2 * kMiB;
  TemporaryDirectory directory_;
};

TEST_F(BoundsTest, WhoWouldExceedTheDirtyLimitWaits) {
  auto store = Open();
  std::atomic<bool> done = false;
  std::thread watching([&] {
    while (!done) {
      EXPECT_LE(store->GetStats().dirty_bytes, kDirtyLimit + kMiB);
    }
  });
  std::thread other([&] { Fill(*store, kMany, kMany + kMany / 2); });
  Fill(*store, 0, kMany / 2);
  other.join();
  done = true;
  watching.join();
  EXPECT_GT(store->GetStats().checkpoints, 2u) << "the limit was never met";
  EXPECT_EQ(store->GetStats().entries, kMany);
}

// Even while writers wait for checkpoints: they continue when segments can be reused.
TEST_F(BoundsTest, TheLogTakesNoMoreThanItsLimitAndASegment) {
  const CreateOptions options = SmallStore();
  ASSERT_TRUE(Store::Create(GetPosixEnv(), PathOf("short"), options));
  auto store = Store::Open(GetPosixEnv(), PathOf("short")).value();
  const std::string value(2000, 'x');
  uint64_t most = 0;
  for (int i = 0; i < 30'000; ++i) {
    ASSERT_TRUE(store->Put(Name(static_cast<uint64_t>(i % 500)), value));
    if (i % 50 == 0) most = std::max(most, FileBytesIn(PathOf("short") + "/log"));
  }
  EXPECT_LE(most, options.log_limit_bytes + options.log_segment_bytes);
}

TEST_F(BoundsTest, MemoryDoesNotGrowWithTheStore) {
  const uint64_t before = AnonymousBytes();
  auto store = Open();
  Fill(*store, 0, kMany);
  std::string value;
  for (uint64_t i = 0; i < kMany; ++i)
    ASSERT_TRUE(store->ReadAll({kRootDirectory, Name(i)}, &value));
  EXPECT_GT(store->GetStats().page_bytes_used, kMany * 110);
  ExpectGrownBy(before, 8 * kMiB);
}

TEST_F(BoundsTest, OpeningNeedsNoMemoryInProportion) {
  {
    auto store = Open();
    Fill(*store, 0, kMany);
    ASSERT_TRUE(store->Close());
  }
  const uint64_t before = AnonymousBytes();
  auto store = Open();
  EXPECT_EQ(store->GetStats().entries, kMany);
  ExpectGrownBy(before, kMiB);
}

// P4: a recovery replays what the log holds, whatever the size of the store.
TEST_F(BoundsTest, RecoveryReplaysTheSameTailOfAnyStore) {
  constexpr uint64_t kTail = 1'000;
  for (const uint64_t entries : {uint64_t{100}, kMany / 2}) {
    const std::string path = "store of " + std::to_string(entries);
    Create(path);
    auto living = Open(path);
    Fill(*living, 0, entries);
    // A separate opening: no earlier writer waits for a checkpoint of the log's tail.
    ASSERT_TRUE(living->Close());
    living = Open(path);
    const std::string value(100, 'w');
    for (uint64_t i = 0; i < kTail; ++i) ASSERT_TRUE(living->Put(Name(i), value));
    // The state after the death of the process at this point.
    std::filesystem::copy(PathOf(path), PathOf(path + ", killed"),
                          std::filesystem::copy_options::recursive);
    auto store = Open(path + ", killed");
    EXPECT_EQ(store->GetStats().replayed_records, kTail);
    for (uint64_t i = 0; i < kTail; ++i) ASSERT_EQ(store->Get(Name(i)).value(), value) << i;
  }
}

TEST_F(BoundsTest, AStoreThatIsEmptiedComesBackToASmallSize) {
  auto store = Open();
  ASSERT_TRUE(store->Checkpoint());
  const uint64_t empty = store->GetStats().page_bytes_used;
  Fill(*store, 0, kMany);
  ASSERT_TRUE(store->Put("long", std::string(10 * kMiB, 'l')));
  ASSERT_TRUE(store->Checkpoint());
  const uint64_t full = store->GetStats().disk_bytes;
  EXPECT_GT(full, kMany * 110 + 10 * kMiB);
  Erase(*store, 0, kMany);
  ASSERT_TRUE(store->Erase("long"));
  ASSERT_TRUE(store->Close());
  store = Open();
  EXPECT_LE(store->GetStats().page_bytes_used, empty + 64 * 1024);
  EXPECT_EQ(store->GetStats().block_bytes_used, 0u);
  EXPECT_LE(store->GetStats().disk_bytes, 8 * kMiB);
  ExpectSound(*store);
}

// Then the rest is sparse; every other entry is erased.
TEST_F(BoundsTest, PagesOfAThinnedStoreMerge) {
  auto store = Open();
  Fill(*store, 0, kMany);
  ASSERT_TRUE(store->Checkpoint());
  const uint64_t full = store->GetStats().page_bytes_used;
  for (uint64_t i = 0; i < kMany; ++i) {
    if (i % 10 == 0) continue;
    ASSERT_TRUE(store->Erase(Name(i)));
  }
  ASSERT_TRUE(store->Checkpoint());
  EXPECT_LE(store->GetStats().page_bytes_used, full / 3);
  ExpectSound(*store);
}

}  // namespace
}  // namespace kvfs
