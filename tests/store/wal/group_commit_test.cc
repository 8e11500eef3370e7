// How long a flush of the log waits for others to share it. The previous flush is said to have
// taken an hour, so that no wait ends by its timeout.
#include "store/wal/group_commit.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>

namespace kvfs {
namespace {

class GroupCommitTest : public testing::Test {
 protected:
  void FlushServing(size_t count) {
    for (size_t i = 0; i < count; ++i) group_.Join(++last_);
    EXPECT_EQ(group_.Release(last_), count);
    group_.NoteFlush(std::chrono::hours(1), count);
  }
  void Join() {
    const std::lock_guard lock(mutex_);
    group_.Join(++last_);
  }
  void Gather() {
    std::unique_lock lock(mutex_);
    group_.Gather(lock);
  }

  std::mutex mutex_;
  GroupCommit group_;
  uint64_t last_ = 0;
};

TEST_F(GroupCommitTest, TheFirstFlushDoesNotWait) {
  Join();
  Gather();
}

TEST_F(GroupCommitTest, WhoSyncsAloneDoesNotWait) {
  FlushServing(1);
  Join();
  Gather();
}

TEST_F(GroupCommitTest, AsManyAreWaitedForAsTheLastFlushServed) {
  FlushServing(3);
  Join();
  std::thread gathering([this] { Gather(); });
  Join();
  Join();
  gathering.join();
}

TEST_F(GroupCommitTest, ACheckpointServesSomeAndTheOthersWaitOn) {
  Join();
  Join();
  EXPECT_EQ(group_.Release(1), 1u);
  EXPECT_EQ(group_.Release(1), 0u);
  EXPECT_EQ(group_.Release(2), 1u);
}

}  // namespace
}  // namespace kvfs
