// Many threads on one store: they put, move, erase, read, list, take snapshots and checkpoints,
// compact and check. Meant to be run under --config=tsan as well, which finds races; in any case
// the test finds states that no order of the operations could produce.
//
// Each writer owns some accounts, entries whose values it changes in pairs, in one batch: both of a
// pair always have the same number, which never decreases. A value identifies its owner and is
// verifiable, so that a reader without a lock detects a wrong byte.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <functional>
#include <random>
#include <thread>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

constexpr int kWriters = 3;
constexpr int kPairs = 40;  // pairs of accounts of each writer
constexpr int kRounds = 1500;

// The value of an account with the number `n`: inline, with a tail, or in several blocks.
std::string ValueOf(const std::string& account, uint64_t n) {
  std::string value = account + ":" + std::to_string(n) + ":";
  const size_t length = n % 7 == 0 ? 9'000 + n % 5'000 : n % 3 == 0 ? 700 : 40;
  while (value.size() < length) value += static_cast<char>('a' + (value.size() * 31 + n) % 26);
  return value;
}

// The number in a value that ValueOf returns for it; otherwise a failure.
uint64_t NumberIn(const std::string& account, const std::string& value) {
  const size_t colon = value.find(':');
  const uint64_t n =
      colon == std::string::npos ? 0 : std::strtoull(value.c_str() + colon + 1, nullptr, 10);
  EXPECT_TRUE(value == ValueOf(account, n)) << account << " holds " << value.substr(0, 60);
  return n;
}

std::string Account(int writer, int pair, char side) {
  return "w" + std::to_string(writer) + "p" + std::to_string(pair) + side;
}

class StressTest : public testing::Test {
 protected:
  void Open(Env& env, const std::string& path) {
    ASSERT_TRUE(Store::Create(env, path, SmallStore(4, 4096)));
    OpenOptions options;
    options.dirty_limit_bytes = 2 << 20;
    options.idle_ms = 1;
    store_ = Store::Open(env, path, options).value();
    for (int writer = 0; writer < kWriters; ++writer) {
      for (int pair = 0; pair < kPairs; ++pair) PutPair(writer, pair, 1);
    }
  }

  void PutPair(int writer, int pair, uint64_t n) {
    const std::string one = Account(writer, pair, 'a'), other = Account(writer, pair, 'b');
    const std::string value = ValueOf(one, n), other_value = ValueOf(other, n);
    Batch batch;
    batch.Put({kRootDirectory, one}, AsBytes(value));
    batch.Put({kRootDirectory, other}, AsBytes(other_value));
    auto done = store_->Apply(batch);
    EXPECT_TRUE(done) << done.error().message;
  }

  // Changes accounts in pairs, and also creates, moves and erases entries.
  void Write(int writer) {
    std::mt19937 random(static_cast<uint32_t>(writer));
    const std::string mine = "guest of " + std::to_string(writer);
    for (uint64_t n = 2; n < 2 + kRounds; ++n) {
      PutPair(writer, static_cast<int>(random() % kPairs), n);
      if (n % 5 == 0) {
        EXPECT_TRUE(store_->Put(mine, ValueOf(mine, n)));
        Leave(mine);
      }
      if (n % 50 == 0) {
        EXPECT_TRUE(store_->Sync());
      }
    }
  }

  void Leave(const std::string& guest) {
    Batch batch;
    batch.Write({kRootDirectory, guest}, 20'000, AsBytes("x"));
    batch.Punch({kRootDirectory, guest}, 0, 8192);
    batch.Move({kRootDirectory, guest}, {kFirstId, guest});
    auto done = store_->Apply(batch);
    EXPECT_TRUE(done) << done.error().message;
    Batch erase;
    erase.Erase({kFirstId, guest});
    EXPECT_TRUE(store_->Apply(erase));
  }

  // A pair as seen by `reader`, one after the other.
  std::pair<uint64_t, uint64_t> Read(const Reader& reader, int writer, int pair) {
    const std::string one = Account(writer, pair, 'a'), other = Account(writer, pair, 'b');
    auto value = reader.Get(one), other_value = reader.Get(other);
    EXPECT_TRUE(value) << value.error().message;
    EXPECT_TRUE(other_value) << other_value.error().message;
    return {NumberIn(one, value.value_or("")), NumberIn(other, other_value.value_or(""))};
  }

  // Later reads never see older states; in a snapshot both sides are of one moment.
  void ReadAll() {
    std::vector<uint64_t> seen(kWriters * kPairs, 1);
    for (uint32_t i = 0; !done_; ++i) {
      const uint32_t at = i * 7919 % (kWriters * kPairs);
      const auto [one, other] = Read(*store_, static_cast<int>(at / kPairs), at % kPairs);
      EXPECT_GE(one, seen[at]);
      EXPECT_GE(other, one);
      seen[at] = other;
    }
  }
  void ReadSnapshots() {
    while (!done_) {
      auto snapshot = store_->TakeSnapshot();
      ASSERT_TRUE(snapshot) << snapshot.error().message;
      for (int pair = 0; pair < kPairs; ++pair) {
        const auto [one, other] = Read(**snapshot, pair % kWriters, pair);
        EXPECT_EQ(one, other) << "a batch is seen by half";
      }
      ExpectAllListed(**snapshot);
    }
  }
  void List() {
    while (!done_) ExpectAllListed(*store_);
  }
  void ExpectAllListed(const Reader& reader) {
    std::vector<int> visits(kWriters * kPairs, 0);
    auto done = reader.List(kRootDirectory, 0, [&](const ListedEntry& entry) {
      int writer = 0, pair = 0;
      char side = 0;
      if (std::sscanf(std::string(entry.name).c_str(), "w%dp%d%c", &writer, &pair, &side) == 3) {
        ++visits[static_cast<size_t>(writer * kPairs + pair)];
      }
      return true;
    });
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_EQ(visits, std::vector<int>(kWriters * kPairs, 2)) << "skipped, or listed twice";
  }

  void Maintain() {
    for (int i = 0; !done_; ++i) {
      auto done = i % 4 == 3 ? store_->Compact() : store_->Checkpoint();
      EXPECT_TRUE(done) << done.error().message;
    }
  }
  void Check() {
    while (!done_) ExpectSound(*store_);
  }
  void Watch() {
    while (!done_) {
      const StoreStats stats = store_->GetStats();
      EXPECT_LE(stats.durable_sequence, stats.acknowledged_sequence);
      EXPECT_LE(stats.dirty_bytes, uint64_t{3} << 20) << "the memory for changes has a limit";
    }
  }

  void RunAll() {
    std::vector<std::thread> others;
    for (auto run : {&StressTest::ReadAll, &StressTest::ReadSnapshots, &StressTest::List,
                     &StressTest::Maintain, &StressTest::Check, &StressTest::Watch}) {
      others.emplace_back([this, run] { (this->*run)(); });
    }
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) writers.emplace_back([this, i] { Write(i); });
    for (std::thread& writer : writers) writer.join();
    done_ = true;
    for (std::thread& other : others) other.join();
    ExpectSound(*store_);
    ASSERT_TRUE(store_->Close());
  }

  std::unique_ptr<Store> store_;
  std::atomic<bool> done_ = false;
};

// Threads race to create the same entries: a lookup made before a batch has its locks must not
// decide.
TEST(StressConditions, OneOfManyCreates) {
  constexpr int kThreads = 3, kNames = 30'000;
  MemoryEnv env;
  ASSERT_TRUE(Store::Create(env, "store", SmallStore(4, 4096)));
  auto store = Store::Open(env, "store").value();
  std::atomic<int> created = 0;
  std::barrier start(kThreads);
  auto race = [&] {
    for (int i = 0; i < kNames; ++i) {
      const std::string name = std::to_string(i);
      Batch batch;
      batch.Put({kRootDirectory, name}, AsBytes(name), std::nullopt, Batch::IfPresent::kRefuse);
      if (i % 100 == 0) start.arrive_and_wait();
      const auto done = store->Apply(batch);
      created += done ? 1 : 0;
      EXPECT_TRUE(done || done.error().code == ErrorCode::kExists) << name;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(race);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, kNames);
  EXPECT_EQ(store->GetStats().entries, static_cast<uint64_t>(kNames));
}

// Blocks that only the newest state has are overwritten in place, and readers copy without locks: a
// read that was overtaken must not show a mix of two states. (On a real disk, since there the
// kernel copies the changing bytes, which is not a data race of this process.)
TEST(StressConditions, AReadIsOfOneMoment) {
  constexpr int kWrites = 3'000;
  constexpr size_t kBytes = 60'000;
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/store";
  ASSERT_TRUE(Store::Create(GetPosixEnv(), path, SmallStore(4, 4096)));
  auto store = Store::Open(GetPosixEnv(), path).value();
  const Key key{kRootDirectory, "written over"};
  ASSERT_TRUE(store->Put(key.name, std::string(kBytes, 'a')));
  std::atomic<bool> done = false;
  auto read = [&](bool whole) {
    std::string content(kBytes, '\0');
    for (int n = 0; !done; ++n) {
      const auto got = whole ? store->ReadAll(key, &content)
                             : store->Read(key, 0, std::as_writable_bytes(std::span(content)))
                                   .transform([](size_t) {});
      ASSERT_TRUE(got) << got.error().message;
      ASSERT_EQ(content, std::string(kBytes, content[0])) << "after " << n << " reads";
    }
  };
  std::thread whole(read, true), range(read, false);
  for (int n = 0; n < kWrites && !testing::Test::HasFailure(); ++n) {
    const std::string content(kBytes, static_cast<char>('a' + n % 26));
    Batch batch;
    batch.Write(key, 0, AsBytes(content));
    EXPECT_TRUE(store->Apply(batch));
  }
  done = true;
  whole.join();
  range.join();
}

TEST_F(StressTest, InMemory) {
  MemoryEnv env;
  Open(env, "store");
  RunAll();
  store_.reset();
}

TEST_F(StressTest, OnTheDisk) {
  TemporaryDirectory directory;
  Open(GetPosixEnv(), directory.path() + "/store");
  RunAll();
  store_.reset();
}

}  // namespace
}  // namespace kvfs
