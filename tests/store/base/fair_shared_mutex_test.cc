// Who waits for whom: a writer for the readers inside, a reader for at most a few writers. Steps
// are forced by blocking threads, and checked by the order of events, not by time.
#include "store/base/fair_shared_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace kvfs {
namespace {

using Shared = std::shared_lock<FairSharedMutex>;
using Exclusive = std::unique_lock<FairSharedMutex>;

// A reader in a separate thread, which stays inside until it is told to leave.
class Visitor {
 public:
  explicit Visitor(FairSharedMutex& mutex)
      : thread_([this, &mutex] {
          const Shared lock(mutex);
          is_inside_ = true;
          is_inside_.notify_all();
          leaves_.wait(false);
        }) {}
  ~Visitor() {
    Leave();
    thread_.join();
  }
  bool is_inside() const { return is_inside_; }
  void WaitUntilInside() { is_inside_.wait(false); }
  void Leave() {
    leaves_ = true;
    leaves_.notify_all();
  }

 private:
  std::atomic<bool> is_inside_ = false;
  std::atomic<bool> leaves_ = false;
  std::thread thread_;
};

TEST(FairSharedMutex, ReadersAreInsideTogether) {
  FairSharedMutex mutex;
  Visitor one(mutex), other(mutex);
  one.WaitUntilInside();
  other.WaitUntilInside();
  EXPECT_TRUE(one.is_inside() && other.is_inside());
}

TEST(FairSharedMutex, WritersExcludeEachOtherAndReaders) {
  constexpr int kRounds = 20000;
  FairSharedMutex mutex;
  int one = 0, other = 0;  // equal, except while a writer is inside
  std::atomic<int> differences = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const Exclusive lock(mutex);
        ++one;
        ++other;
      }
    });
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const Shared lock(mutex);
        differences += one != other ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differences, 0);
  EXPECT_EQ(one, 2 * kRounds);
  EXPECT_EQ(other, 2 * kRounds);
}

constexpr int kFirstRounds = 10, kMostRounds = 1000000;

// Two readers hand the lock to each other, so that there is always one inside: a lock that prefers
// readers would starve the writer. Here the second reader must wait for the writer.
TEST(FairSharedMutex, AWriterGoesBeforeReadersThatComeLater) {
  FairSharedMutex mutex;
  std::atomic<bool> has_written = false;
  std::atomic<int> turn = 0, rounds = 0;
  auto is_over = [&] { return has_written || rounds > kMostRounds; };
  auto read = [&](int self) {
    while (!is_over()) {
      ++rounds;
      const Shared lock(mutex);
      turn = 1 - self;
      // Inside until the other one is inside, too, or waits for the writer.
      while (turn != self && !is_over() && !mutex.HasWriter()) std::this_thread::yield();
    }
  };
  std::thread first(read, 0), second(read, 1);
  while (rounds < kFirstRounds) std::this_thread::yield();
  {
    const Exclusive lock(mutex);
    EXPECT_LE(rounds, kMostRounds);
    has_written = true;
  }
  first.join();
  second.join();
}

// The reverse: writers hand the lock to each other, so that there is always one waiting.
TEST(FairSharedMutex, AReaderGetsInThoughWritersFollowEachOther) {
  FairSharedMutex mutex;
  std::atomic<bool> has_read = false;
  std::atomic<int> waiting = 0, rounds = 0;
  auto is_over = [&] { return has_read || rounds > kMostRounds; };
  auto write = [&] {
    while (!is_over()) {
      ++rounds;
      ++waiting;
      const Exclusive lock(mutex);
      --waiting;
      // Inside until the other one waits.
      do std::this_thread::yield();
      while (waiting == 0 && !is_over());
    }
  };
  std::thread first(write), second(write);
  while (rounds < kFirstRounds) std::this_thread::yield();
  {
    const Shared lock(mutex);
    EXPECT_LE(rounds, kMostRounds);
    has_read = true;
  }
  first.join();
  second.join();
}

#ifndef NDEBUG
TEST(FairSharedMutexDeathTest, ASecondTakingByTheSameThreadIsFound) {
  FairSharedMutex mutex;
  const Shared lock(mutex);
  EXPECT_DEATH(mutex.lock_shared(), "taken twice");
}
#endif

}  // namespace
}  // namespace kvfs
