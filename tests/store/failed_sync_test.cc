// A failed flush is reported to all whom it concerns, whichever thread met it: a sync that needed
// it fails, even a concurrent one, and nothing is committed on top of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

class FailedSyncTest : public testing::Test {
 protected:
  FailedSyncTest() {
    EXPECT_TRUE(Store::Create(disk_, "store", SmallStore(1)));
    OpenOptions options;
    options.idle_ms = 0;
    store_ = Store::Open(disk_, "store", options).value();
    EXPECT_TRUE(store_->Put("small", "value"));
    EXPECT_TRUE(store_->Sync());
  }
  ~FailedSyncTest() override { disk_.OnSync(nullptr); }

  // A value whose blocks the log refers to.
  Result<void> PutLarge(const std::string& name) {
    return store_->Put(name, std::string(65536, 'b'));
  }
  void FailSync(const std::string& path) {
    disk_.InjectFault({.kind = OperationKind::kSync, .path_contains = path});
  }
  // Runs `what` once, when a file whose path contains `path` is about to be synced.
  void AtSyncOf(const std::string& path, std::function<void()> what) {
    armed_ = true;
    disk_.OnSync([this, path, what](const std::string& synced) {
      if (synced.find(path) != std::string::npos && armed_.exchange(false)) what();
    });
  }
  // How often the superblock was written.
  size_t Commits() const {
    return static_cast<size_t>(std::ranges::count_if(disk_.Journal(), [](const auto& record) {
      return record.kind == OperationKind::kWrite && record.path == "store/superblock";
    }));
  }
  void ExpectTakesNoMore() {
    const size_t before = Commits();
    EXPECT_FALSE(store_->Put("more", "value"));
    EXPECT_FALSE(store_->Sync());
    EXPECT_FALSE(store_->Checkpoint());
    EXPECT_EQ(store_->Get("small").value(), "value") << "reading goes on";
    EXPECT_FALSE(store_->Close());
    EXPECT_EQ(Commits(), before);
  }
  // To be called when a flush is about to fail: another thread syncs meanwhile. It must wait for
  // the end of that flush; if it does not, it has returned before this does.
  void SyncBeside() {
    other_ = std::thread([this] {
      auto synced = store_->Sync();
      const std::lock_guard lock(mutex_);
      beside_ = std::move(synced);
      has_returned_ = true;
      returned_.notify_all();
    });
    std::unique_lock lock(mutex_);
    returned_.wait_for(lock, std::chrono::milliseconds(200), [this] { return has_returned_; });
  }
  void ExpectCheckpointAndSyncFail() {
    const size_t before = Commits();
    EXPECT_FALSE(store_->Checkpoint());
    ASSERT_TRUE(other_.joinable()) << "the flush was not needed";
    other_.join();
    EXPECT_FALSE(beside_) << "the flush that it needed has failed";
    EXPECT_EQ(Commits(), before);
    ExpectTakesNoMore();
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  std::atomic<bool> armed_ = false;
  std::thread other_;
  std::mutex mutex_;  // guards the following
  std::condition_variable returned_;
  bool has_returned_ = false;
  Result<void> beside_;
};

// A writer that waits for a checkpoint to make room gets its failure, and does not wait without
// end.
TEST_F(FailedSyncTest, OfACheckpointReachesWhoWaitsForRoom) {
  store_.reset();
  OpenOptions options;
  options.idle_ms = 0;
  options.dirty_limit_bytes = 64 << 10;
  store_ = Store::Open(disk_, "store", options).value();
  ASSERT_TRUE(store_->Put("name", "value"));
  disk_.InjectFault({.kind = OperationKind::kSync, .path_contains = "keys", .lasts = true});
  Result<void> put;
  std::thread writer;
  AtSyncOf("keys", [&] {
    writer = std::thread([&] {
      for (int i = 0; put; ++i) put = store_->Put(std::to_string(i), std::string(100, 'v'));
    });
    // Long enough to fill the memory for changes, and to wait.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  });
  EXPECT_FALSE(store_->Checkpoint());
  ASSERT_TRUE(writer.joinable());
  writer.join();
  EXPECT_FALSE(put);
  ExpectTakesNoMore();
}

// A block of this epoch is overwritten in place; the log has the bytes already.
TEST_F(FailedSyncTest, AFailedWriteOverIsToldToItsCaller) {
  ASSERT_TRUE(store_->Put("blocks", std::string(8'000, 'b')));
  disk_.InjectFault({.kind = OperationKind::kWrite, .path_contains = "values"});
  Batch batch;
  batch.Write({kRootDirectory, "blocks"}, 10, AsBytes("over"));
  EXPECT_FALSE(store_->Apply(batch));
  EXPECT_EQ(disk_.PendingFaults(), 0u);
  ExpectTakesNoMore();
}

TEST_F(FailedSyncTest, OfBlocksReachesASyncBesideIt) {
  ASSERT_TRUE(PutLarge("large"));
  AtSyncOf(".values", [this] {
    FailSync(".values");
    SyncBeside();
  });
  ExpectCheckpointAndSyncFail();
}

// The segment that the checkpoint has begun already contains a change when it is flushed.
TEST_F(FailedSyncTest, OfTheLogReachesASyncBesideIt) {
  ASSERT_TRUE(store_->Put("old", "value"));
  armed_ = true;
  disk_.OnSync([this](const std::string& path) {
    if (path.find(".keys") != std::string::npos) {
      EXPECT_TRUE(store_->Put("new", "value"));
    } else if (path.find("segment-") != std::string::npos && armed_.exchange(false)) {
      FailSync("segment-");
      SyncBeside();
    }
  });
  ExpectCheckpointAndSyncFail();
}

// The current checkpoint has already flushed the file; a later change's blocks are lost.
TEST_F(FailedSyncTest, StopsTheCheckpointThatIsUnderWay) {
  const size_t before = Commits();
  Result<void> synced;
  AtSyncOf(".keys", [&] {
    std::thread([&] {
      EXPECT_TRUE(PutLarge("large"));
      FailSync(".values");
      synced = store_->Sync();
    }).join();
  });
  ASSERT_TRUE(store_->Put("other", "value"));
  EXPECT_FALSE(store_->Checkpoint());
  EXPECT_FALSE(synced);
  EXPECT_EQ(Commits(), before);
  ExpectTakesNoMore();
}

// For every file, and every caller of sync: an error reported once is reported to all later
// callers.
TEST_F(FailedSyncTest, IsFinalForAllThatComesLater) {
  for (const char* path : {".values", "segment-"}) {
    SCOPED_TRACE(path);
    ASSERT_TRUE(PutLarge(path));
    FailSync(path);
    EXPECT_FALSE(store_->Sync());
    ExpectTakesNoMore();
    store_ = Store::Open(disk_, "store").value();
  }
  for (const char* path : {".values", ".keys", "segment-", "superblock"}) {
    SCOPED_TRACE(path);
    ASSERT_TRUE(PutLarge(path));
    FailSync(path);
    EXPECT_FALSE(store_->Checkpoint());
    EXPECT_EQ(disk_.PendingFaults(), 0u);
    ExpectTakesNoMore();
    store_ = Store::Open(disk_, "store").value();
  }
}

}  // namespace
}  // namespace kvfs
