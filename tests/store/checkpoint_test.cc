// What checkpoints and syncs make durable, and when checkpoints are taken.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/store/store_fixture.h"

namespace kvfs {
namespace {

class Checkpoints : public StoreFixture {};

TEST_F(Checkpoints, SyncsOfManyThreadsMakeTheirWritesDurable) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string name = std::to_string(t) + "/" + std::to_string(i);
        EXPECT_TRUE(store_->Put(name, std::string(i % 5 ? 100 : 9000, 'x')));
        EXPECT_TRUE(store_->Sync());
        EXPECT_TRUE(store_->Get(name));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto after = env_.CrashImage({CrashChoice::Kind::kNone, 0});
  auto store = Store::Open(*after, "store").value();
  EXPECT_EQ(store->GetStats().entries, 100u);
}

TEST_F(Checkpoints, StatsCountWhatIsThere) {
  ASSERT_TRUE(store_->Put("small", "x"));
  ASSERT_TRUE(store_->Put("large", std::string(10'000, 'x')));
  StoreStats stats = store_->GetStats();
  EXPECT_EQ(stats.entries, 2u);
  EXPECT_EQ(stats.block_bytes_used, 2 * 4096u) << "its tail lies in the entry";
  EXPECT_GT(stats.log_bytes, 0u);
  EXPECT_GT(stats.acknowledged_sequence, stats.durable_sequence);
  ASSERT_TRUE(store_->Sync());
  EXPECT_EQ(store_->GetStats().durable_sequence, stats.acknowledged_sequence);
  ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(store_->GetStats().log_bytes, 0u);
  EXPECT_EQ(store_->GetStats().dirty_bytes, 0u);
  EXPECT_EQ(store_->GetStats().epoch, stats.epoch + 1);
  EXPECT_EQ(store_->GetStats().replayed_records, 0u);
}

// One write for each of its two slots.
TEST_F(Checkpoints, ACheckpointWritesTheSuperblockTwice) {
  auto writes = [&] {
    return std::ranges::count_if(env_.Journal(), [](const OperationRecord& record) {
      return record.kind == OperationKind::kWrite && record.path == "store/superblock";
    });
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_->Put("name", std::to_string(i)));
    const auto before = writes();
    ASSERT_TRUE(store_->Checkpoint());
    EXPECT_EQ(writes() - before, 2);
  }
}

TEST_F(Checkpoints, AnIdleStoreIsCheckpointed) {
  store_.reset();
  OpenOptions options;
  options.idle_ms = 1;
  store_ = Store::Open(env_, "store", options).value();
  ASSERT_TRUE(store_->Put("name", "value"));
  while (store_->GetStats().dirty_bytes > 0) std::this_thread::yield();
  EXPECT_GT(store_->GetStats().checkpoints, 0u);
}

TEST_F(Checkpoints, TheLogGrowsNoFurtherThanItsLimit) {
  for (int i = 0; i < 400; ++i) {
    const std::string value(60'000, static_cast<char>('a' + i % 26));
    // Not whole blocks, so that everything goes through the log.
    ASSERT_TRUE(store_->Put("name", ""));
    for (uint64_t at = 1; at < 40'000; at += 4096) {
      ASSERT_TRUE(Write("name", at, std::string_view(value).substr(0, 4000)));
    }
  }
  EXPECT_LE(store_->GetStats().log_bytes, uint64_t{4} << 20);
  EXPECT_GT(store_->GetStats().checkpoints, 2u);
  EXPECT_LE(env_.ListDirectory("store/log").value().size(), 8u);
}

}  // namespace
}  // namespace kvfs
