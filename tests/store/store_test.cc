// The store's public face: what each call promises, and each error that it names.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "store/format/entry.h"
#include "store/format/superblock.h"

namespace kvfs {
namespace {

CreateOptions SmallStore() {
  CreateOptions options;
  options.shards = 3;
  options.hash_seed = 1;
  options.log_segment_bytes = 1 << 20;
  options.log_limit_bytes = 4 << 20;
  return options;
}

ErrorCode CodeOf(const auto& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorCode::kInvalid : result.error().code;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    EXPECT_TRUE(Store::Create(env_, "store", SmallStore()));
    Reopen();
  }

  void Reopen() {
    store_.reset();
    store_ = Store::Open(env_, "store").value();
  }
  Result<void> Apply(const std::function<void(Batch&)>& fill) {
    Batch batch;
    fill(batch);
    return store_->Apply(batch);
  }
  Result<void> Write(std::string_view name, uint64_t offset, std::string_view data) {
    return Apply([&](Batch& batch) { batch.Write({kRootSpace, name}, offset, AsBytes(data)); });
  }
  Result<void> Resize(std::string_view name, uint64_t size) {
    return Apply([&](Batch& batch) { batch.Resize({kRootSpace, name}, size); });
  }
  uint64_t PutNew(Space space, std::string_view name) {
    uint64_t id = 0;
    EXPECT_TRUE(Apply([&](Batch& batch) {
      batch.Put({space, name}, {}, {}, Batch::IfPresent::kRefuse, &id);
    }));
    return id;
  }
  std::string Read(std::string_view name, uint64_t offset, size_t length) {
    std::string text(length, '?');
    auto count = store_->Read({kRootSpace, name}, offset, std::as_writable_bytes(std::span(text)));
    return count ? text.substr(0, *count) : "error";
  }
  EntryInfo Stat(std::string_view name) { return store_->Stat({kRootSpace, name}).value(); }
  std::vector<std::string> List(Space space = kRootSpace) {
    std::vector<std::string> names;
    EXPECT_TRUE(store_->List(space, 0, [&](const ListedEntry& entry) {
      names.emplace_back(entry.name);
      return true;
    }));
    return names;
  }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

class TakeContent : public StoreTest, public testing::WithParamInterface<size_t> {
 protected:
  // A content of so many bytes, of which half is a hole where it is large.
  void Stage(uint64_t like, size_t size) {
    const uint64_t id = store_->ReserveIdLike(like);
    ASSERT_TRUE(Apply([&](Batch& b) { b.PutAs({kTransientSpace, "staged"}, id, {}, "m"); }));
    const std::string half(size - size / 2, 's');
    ASSERT_TRUE(Apply([&](Batch& batch) {
      batch.Write({kTransientSpace, "staged"}, size / 2, AsBytes(half));
      batch.Resize({kTransientSpace, "staged"}, size);
    }));
  }
  void Take() {
    ASSERT_TRUE(Apply([](Batch& b) { b.TakeContent(kFoo, {kTransientSpace, "staged"}); }));
  }
  static std::string Expected(size_t size) {
    return std::string(size / 2, '\0') + std::string(size - size / 2, 's');
  }
  void ExpectSound() {
    ASSERT_TRUE(store_->Checkpoint());
    const auto report = store_->Check({});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->damages + report->space_findings, 0u);
  }
  static constexpr Key kFoo = {kRootSpace, "foo"};
};
INSTANTIATE_TEST_SUITE_P(Sizes, TakeContent, testing::Values(0, 5, 3000, 20'000, 700'000));

TEST_P(TakeContent, TheEntryKeepsItsIdAndMetaAndTheOtherIsGone) {
  for (const size_t before : {size_t{0}, size_t{10}, size_t{9000}, size_t{500'000}}) {
    const std::string old(before, 'o');
    ASSERT_TRUE(Apply([&](Batch& batch) { batch.Put(kFoo, AsBytes(old), "mine"); }));
    const EntryInfo present = Stat("foo");
    const auto snapshot = store_->TakeSnapshot().value();
    Stage(present.id, GetParam());
    Take();
    EXPECT_EQ(Stat("foo").id, present.id);
    EXPECT_EQ(Stat("foo").meta, "mine");
    EXPECT_GT(Stat("foo").version, present.version);
    EXPECT_EQ(store_->Get("foo").value(), Expected(GetParam()));
    EXPECT_EQ(List(kTransientSpace), std::vector<std::string>());
    EXPECT_EQ(snapshot->Get("foo").value(), old);
    ExpectSound();
  }
}

TEST_P(TakeContent, ItIsReplayed) {
  ASSERT_TRUE(store_->Put("foo", std::string(50'000, 'o')));
  Stage(Stat("foo").id, GetParam());
  Take();
  const auto killed = env_.CrashImage({CrashChoice::Kind::kAll, 0});
  store_.reset();
  store_ = Store::Open(*killed, "store").value();
  EXPECT_EQ(store_->Get("foo").value(), Expected(GetParam()));
  ExpectSound();
  store_.reset();
}

TEST_F(StoreTest, AContentIsTakenOnlyWhereItCanLie) {
  const uint64_t id = PutNew(kRootSpace, "foo");
  const auto take = [&](std::string_view from) {
    return Apply([&](Batch& b) { b.TakeContent({kRootSpace, "foo"}, {kRootSpace, from}); });
  };
  EXPECT_EQ(CodeOf(take("absent")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(take("foo")), ErrorCode::kInvalid);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "other" + std::to_string(i);
    const uint64_t other = PutNew(kRootSpace, name);
    if (other % 3 == id % 3) continue;
    EXPECT_EQ(CodeOf(take(name)), ErrorCode::kInvalid);
  }
}

TEST_F(StoreTest, AReservedIdIsNobodyElses) {
  const uint64_t id = store_->ReserveId("dir");
  std::set<uint64_t> others;
  for (int i = 0; i < 50; ++i) others.insert(PutNew(kRootSpace, std::to_string(i)));
  EXPECT_FALSE(others.contains(id));
  ASSERT_TRUE(Apply([&](Batch& batch) {
    batch.PutAs({kRootSpace, "dir"}, id, {}, "d");
    batch.Put({id, "child"}, AsBytes(std::string_view("in it")));
  }));
  EXPECT_EQ(Stat("dir").id, id);
  EXPECT_EQ(List(id), std::vector<std::string>{"child"});
  EXPECT_EQ(CodeOf(Apply([&](Batch& b) {
              b.PutAs({kRootSpace, "dir"}, id + 3, {}, "d");
            })),
            ErrorCode::kExists);
  Reopen();
  EXPECT_GT(PutNew(kRootSpace, "later") / 3, id / 3 - 1);
  EXPECT_EQ(Stat("dir").id, id);
}

TEST_F(StoreTest, GetsWhatWasPut) {
  ASSERT_TRUE(store_->Put("foo", "bar"));
  EXPECT_EQ(store_->Get("foo").value(), "bar");
  ASSERT_TRUE(store_->Put("foo", "other"));
  EXPECT_EQ(store_->Get("foo").value(), "other");
  ASSERT_TRUE(store_->Erase("foo"));
  EXPECT_EQ(CodeOf(store_->Get("foo")), ErrorCode::kNotFound);
}

TEST_F(StoreTest, AbsentIsToldApartFromEmpty) {
  ASSERT_TRUE(store_->Put("empty", ""));
  EXPECT_EQ(store_->Get("empty").value(), "");
  EXPECT_EQ(CodeOf(store_->Get("absent")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store_->Stat({kRootSpace, "absent"})), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store_->Erase("absent")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(Write("absent", 0, "x")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(Resize("absent", 1)), ErrorCode::kNotFound);
}

TEST_F(StoreTest, PutCanRefuseAPresentEntry) {
  PutNew(kRootSpace, "name");
  auto again = Apply([](Batch& batch) {
    batch.Put({kRootSpace, "name"}, AsBytes("x"), {}, Batch::IfPresent::kRefuse);
  });
  EXPECT_EQ(CodeOf(again), ErrorCode::kExists);
  EXPECT_EQ(store_->Get("name").value(), "");
}

TEST_F(StoreTest, ARefusedBatchChangesNothing) {
  ASSERT_TRUE(store_->Put("kept", "old"));
  auto refused = Apply([](Batch& batch) {
    batch.Put({kRootSpace, "kept"}, AsBytes("new"));
    batch.Put({kRootSpace, "other"}, AsBytes("new"));
    batch.Erase({kRootSpace, "absent"});
  });
  EXPECT_EQ(CodeOf(refused), ErrorCode::kNotFound);
  EXPECT_EQ(store_->Get("kept").value(), "old");
  EXPECT_EQ(CodeOf(store_->Get("other")), ErrorCode::kNotFound);
}

TEST_F(StoreTest, LaterChangesOfABatchSeeTheEarlierOnes) {
  ASSERT_TRUE(Apply([](Batch& batch) {
    batch.Put({kRootSpace, "a"}, AsBytes("hello"));
    batch.Write({kRootSpace, "a"}, 5, AsBytes(" world"));
    batch.Move({kRootSpace, "a"}, {kRootSpace, "b"});
    batch.Put({kRootSpace, "a"}, AsBytes("again"));
  }));
  EXPECT_EQ(store_->Get("a").value(), "again");
  EXPECT_EQ(store_->Get("b").value(), "hello world");
}

TEST_F(StoreTest, NamesHaveOneTo255BytesOfAnyValue) {
  EXPECT_EQ(CodeOf(store_->Put("", "x")), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(store_->Put(std::string(256, 'n'), "x")), ErrorCode::kInvalid);
  std::string odd(255, '\0');
  for (size_t i = 0; i < odd.size(); ++i) odd[i] = static_cast<char>(i);
  for (const std::string& name : {std::string(1, '\0'), std::string("/"), odd}) {
    EXPECT_TRUE(store_->Put(name, "x"));
    EXPECT_EQ(store_->Get(name).value(), "x");
  }
  EXPECT_EQ(CodeOf(Apply([](Batch& batch) {
              batch.Move({kRootSpace, "/"}, {kRootSpace, std::string_view()});
            })),
            ErrorCode::kInvalid);
}

TEST_F(StoreTest, TheStoresOwnSpacesAreRefused) {
  for (Space space : {format::kDeadSpace, uint64_t{1} << 63}) {
    auto put = Apply([&](Batch& batch) { batch.Put({space, "x"}, {}); });
    EXPECT_EQ(CodeOf(put), ErrorCode::kInvalid) << space;
  }
}

TEST_F(StoreTest, ContentsEndBelowTwoToThe63) {
  ASSERT_TRUE(store_->Put("name", ""));
  EXPECT_TRUE(Resize("name", kMaxContentBytes));
  EXPECT_EQ(CodeOf(Resize("name", kMaxContentBytes + 1)), ErrorCode::kInvalid);
  EXPECT_TRUE(Write("name", kMaxContentBytes - 1, "x"));
  EXPECT_EQ(CodeOf(Write("name", kMaxContentBytes, "x")), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(Write("name", ~uint64_t{0}, "x")), ErrorCode::kInvalid);
  EXPECT_EQ(Stat("name").size_bytes, kMaxContentBytes);
  EXPECT_EQ(Read("name", kMaxContentBytes - 2, 100), std::string("\0x", 2));
  EXPECT_EQ(Read("name", kMaxContentBytes, 1), "");
  EXPECT_EQ(Read("name", ~uint64_t{0}, 1), "");
}

TEST_F(StoreTest, MetaHasAtMost255Bytes) {
  const std::string longest(255, 'm'), longer(256, 'm');
  auto put = [&](const std::string& meta) {
    return Apply([&](Batch& batch) { batch.Put({kRootSpace, "name"}, {}, meta); });
  };
  EXPECT_TRUE(put(longest));
  EXPECT_EQ(CodeOf(put(longer)), ErrorCode::kTooLarge);
  auto edit = Apply([](Batch& batch) {
    batch.EditMeta({kRootSpace, "name"}, [](std::string& meta) { meta += "x"; });
  });
  EXPECT_EQ(CodeOf(edit), ErrorCode::kTooLarge);
  EXPECT_EQ(Stat("name").meta, longest);
}

TEST_F(StoreTest, PutKeepsMetaAndIdOfAPresentEntry) {
  ASSERT_TRUE(Apply([](Batch& batch) { batch.Put({kRootSpace, "name"}, {}, "meta"); }));
  const uint64_t id = Stat("name").id;
  ASSERT_TRUE(store_->Put("name", std::string(10'000, 'x')));
  EXPECT_EQ(Stat("name").meta, "meta");
  EXPECT_EQ(Stat("name").id, id);
}

TEST_F(StoreTest, RefusesABatchThatDoesNotFitIntoALogSegment) {
  // Small values, since whole blocks do not go through the log.
  const std::string value(900, 'v');
  std::vector<std::string> names;
  for (int i = 0; i < 1500; ++i) names.push_back("name " + std::to_string(i));
  auto put_all = Apply([&](Batch& batch) {
    for (const auto& name : names) batch.Put({kRootSpace, name}, AsBytes(value));
  });
  EXPECT_EQ(CodeOf(put_all), ErrorCode::kTooLarge);
  EXPECT_TRUE(List().empty());
  EXPECT_TRUE(store_->Put("name", "x")) << "it goes on";
}

TEST_F(StoreTest, TakesAValueLargerThanALogSegment) {
  const std::string value(5'000'000, 'v');
  ASSERT_TRUE(store_->Put("name", value));
  Reopen();
  EXPECT_TRUE(store_->Get("name").value() == value);
}

TEST_F(StoreTest, SparseContentsTakeWhatTheyHold) {
  ASSERT_TRUE(store_->Put("sparse", ""));
  ASSERT_TRUE(Resize("sparse", uint64_t{1} << 40));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 0u);
  ASSERT_TRUE(Write("sparse", uint64_t{1} << 39, "x"));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 4096u);
  ASSERT_TRUE(Write("sparse", 0, std::string(8192, 'y')));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 3 * 4096u);
  ASSERT_TRUE(Apply([](Batch& batch) { batch.Punch({kRootSpace, "sparse"}, 0, 4096); }));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 2 * 4096u);
  EXPECT_EQ(Stat("sparse").size_bytes, uint64_t{1} << 40);
  Reopen();
  EXPECT_EQ(Stat("sparse").allocated_bytes, 2 * 4096u);
  EXPECT_EQ(Read("sparse", 4095, 2), std::string("\0y", 2));
}

TEST_F(StoreTest, ErasedContentsGiveAllTheirBlocksBack) {
  for (size_t size : {1'500, 4'096, 9'000, 300'000}) {
    SCOPED_TRACE(size);
    ASSERT_TRUE(store_->Put("name", std::string(size, 'x')));
    ASSERT_TRUE(store_->Erase("name"));
    ASSERT_TRUE(store_->Put("name", std::string(size, 'x')));
    ASSERT_TRUE(Resize("name", size / 2 + 1));
    ASSERT_TRUE(store_->Erase("name"));
    ASSERT_TRUE(store_->Checkpoint());
    EXPECT_EQ(store_->GetStats().block_bytes_used, 0u);
  }
}

TEST_F(StoreTest, ReadsStopAtTheContentsEnd) {
  ASSERT_TRUE(store_->Put("small", "0123456789"));
  ASSERT_TRUE(store_->Put("large", std::string(10'000, 'x')));
  EXPECT_EQ(Read("small", 4, 3), "456");
  EXPECT_EQ(Read("small", 8, 10), "89");
  EXPECT_EQ(Read("small", 10, 10), "");
  EXPECT_EQ(Read("large", 9'998, 10), "xx");
  EXPECT_EQ(Read("large", 10'000, 10), "");
}

TEST_F(StoreTest, IdsAreUniqueAndStayAcrossMoveAndReopening) {
  std::set<uint64_t> ids;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      const std::string name = "name " + std::to_string(i);
      const uint64_t id = PutNew(kRootSpace, name);
      EXPECT_GE(id, kFirstId);
      EXPECT_TRUE(ids.insert(id).second) << "given twice: " << id;
      const std::string moved = name + " moved " + std::to_string(round);
      ASSERT_TRUE(Apply([&](Batch& batch) { batch.Move({kRootSpace, name}, {99, moved}); }));
      EXPECT_EQ(store_->Stat({99, moved}).value().id, id);
    }
    Reopen();
  }
  for (const std::string& name : List(99)) {
    EXPECT_TRUE(ids.contains(store_->Stat({99, name}).value().id));
  }
}

TEST_F(StoreTest, ReplayedIdsAreNotGivenAgain) {
  const uint64_t last = PutNew(kRootSpace, "a");
  auto crashed = env_.CrashImage({CrashChoice::Kind::kAll, 0});
  auto store = Store::Open(*crashed, "store").value();
  std::set<uint64_t> ids = {last};
  for (int i = 0; i < 30; ++i) {
    const std::string name = "b" + std::to_string(i);
    ASSERT_TRUE(store->Put(name, ""));
    EXPECT_TRUE(ids.insert(store->Stat({kRootSpace, name}).value().id).second);
  }
}

TEST_F(StoreTest, MovesReplaceAndKeepContents) {
  const std::string large(50'000, 'x');
  ASSERT_TRUE(store_->Put("from", large));
  ASSERT_TRUE(store_->Put("to", std::string(20'000, 'y')));
  auto move = [&](Key from, Key to) { return Apply([&](Batch& batch) { batch.Move(from, to); }); };
  ASSERT_TRUE(move({kRootSpace, "from"}, {kRootSpace, "to"}));
  EXPECT_EQ(CodeOf(store_->Get("from")), ErrorCode::kNotFound);
  EXPECT_TRUE(store_->Get("to").value() == large);
  ASSERT_TRUE(move({kRootSpace, "to"}, {kRootSpace, "to"})) << "to itself: nothing happens";
  EXPECT_TRUE(store_->Get("to").value() == large);
  EXPECT_EQ(CodeOf(move({kRootSpace, "absent"}, {kRootSpace, "to"})), ErrorCode::kNotFound);
  EXPECT_EQ(store_->GetStats().entries, 1u);
}

TEST_F(StoreTest, ListsInOrderOfPositionAndResumesThere) {
  std::set<std::string> names;
  for (int i = 0; i < 300; ++i) names.insert("name " + std::to_string(i));
  for (const auto& name : names) ASSERT_TRUE(store_->Put(name, ""));
  std::vector<std::pair<Position, std::string>> all;
  Position from = 0;
  for (bool more = true; more;) {
    more = false;
    ASSERT_TRUE(store_->List(kRootSpace, from, [&](const ListedEntry& entry) {
      if (more) return false;
      all.emplace_back(entry.position, entry.name);
      from = entry.position + 1;
      more = true;
      return true;
    }));
  }
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_EQ(all.size(), names.size());
  for (const auto& [position, name] : all) {
    EXPECT_GE(position, kFirstPosition);
    EXPECT_LT(position, uint64_t{1} << 63);
    EXPECT_TRUE(names.contains(name));
  }
  EXPECT_TRUE(List(12345).empty());
}

TEST_F(StoreTest, TransientEntriesAreErasedAtOpening) {
  ASSERT_TRUE(Apply([](Batch& batch) {
    batch.Put({kTransientSpace, "small"}, AsBytes("x"));
    batch.Put({kRootSpace, "kept"}, AsBytes("x"));
  }));
  const std::string large(4096 * 20, 'y');
  ASSERT_TRUE(Apply([&](Batch& batch) { batch.Put({kTransientSpace, "large"}, AsBytes(large)); }));
  EXPECT_EQ(List(kTransientSpace).size(), 2u);
  Reopen();
  EXPECT_TRUE(List(kTransientSpace).empty());
  EXPECT_EQ(List(), std::vector<std::string>{"kept"});
  ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(store_->GetStats().block_bytes_used, 0u);
}

TEST_F(StoreTest, SyncsOfManyThreadsMakeTheirWritesDurable) {
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

TEST_F(StoreTest, StatsCountWhatIsThere) {
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

// Of a content that ends with a hole, in blocks that its entry names and in chunks.
TEST_F(StoreTest, AHoleAtTheEndIsFound) {
  for (const uint64_t size : {uint64_t{32'768}, uint64_t{10'485'760}}) {
    const std::string name = "ends with a hole, " + std::to_string(size);
    ASSERT_TRUE(store_->Put(name, std::string(4096, 'd')));
    ASSERT_TRUE(Resize(name, size));
    const Key key{kRootSpace, name};
    EXPECT_EQ(store_->FindHole(key, 0).value(), 4096u);
    EXPECT_EQ(store_->FindHole(key, size / 2).value(), size / 2);
    EXPECT_EQ(store_->FindData(key, size / 2).value(), size);
  }
}

// One write for each of its two slots.
TEST_F(StoreTest, ACheckpointWritesTheSuperblockTwice) {
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

TEST_F(StoreTest, AnIdleStoreIsCheckpointed) {
  store_.reset();
  OpenOptions options;
  options.idle_ms = 1;
  store_ = Store::Open(env_, "store", options).value();
  ASSERT_TRUE(store_->Put("name", "value"));
  while (store_->GetStats().dirty_bytes > 0) std::this_thread::yield();
  EXPECT_GT(store_->GetStats().checkpoints, 0u);
}

TEST_F(StoreTest, ASecondOpenerIsToldWhoHasIt) {
  store_.reset();
  OpenOptions options;
  options.purpose = "mounted on /mnt/kv";
  store_ = Store::Open(env_, "store", options).value();
  auto second = Store::Open(env_, "store");
  ASSERT_EQ(CodeOf(second), ErrorCode::kInUse);
  EXPECT_NE(second.error().message.find("mounted on /mnt/kv"), std::string::npos);
  store_.reset();
  EXPECT_TRUE(Store::Open(env_, "store"));
}

TEST_F(StoreTest, TheLogGrowsNoFurtherThanItsLimit) {
  for (int i = 0; i < 400; ++i) {
    const std::string value(60'000, static_cast<char>('a' + i % 26));
    // Not whole blocks, so that all of it goes through the log.
    ASSERT_TRUE(store_->Put("name", ""));
    for (uint64_t at = 1; at < 40'000; at += 4096) {
      ASSERT_TRUE(Write("name", at, std::string_view(value).substr(0, 4000)));
    }
  }
  EXPECT_LE(store_->GetStats().log_bytes, uint64_t{4} << 20);
  EXPECT_GT(store_->GetStats().checkpoints, 2u);
  EXPECT_LE(env_.ListDirectory("store/log").value().size(), 8u);
}

TEST(StoreCreation, TwiceIsRefused) {
  MemoryEnv env;
  ASSERT_TRUE(Store::Create(env, "store", SmallStore()));
  EXPECT_EQ(CodeOf(Store::Create(env, "store", SmallStore())), ErrorCode::kExists);
  EXPECT_TRUE(Store::Open(env, "store"));
}

TEST(StoreCreation, RefusesADirectoryOfOtherThings) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("home"));
  ASSERT_TRUE(env.CreateFile("home/letter"));
  auto created = Store::Create(env, "home", SmallStore());
  ASSERT_EQ(CodeOf(created), ErrorCode::kInvalid);
  EXPECT_NE(created.error().message.find("letter"), std::string::npos);
  EXPECT_EQ(env.ListDirectory("home").value().size(), 1u);
}

TEST(StoreCreation, TakesAnEmptyDirectory) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("empty"));
  EXPECT_TRUE(Store::Create(env, "empty", SmallStore()));
  EXPECT_TRUE(Store::Open(env, "empty"));
}

TEST(StoreCreation, RefusesOptionsOutOfTheirRange) {
  MemoryEnv env;
  auto create = [&](const std::function<void(CreateOptions&)>& change) {
    CreateOptions options = SmallStore();
    change(options);
    return CodeOf(Store::Create(env, "store", options));
  };
  EXPECT_EQ(create([](auto& options) { options.shards = 0; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.shards = 257; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.page_bytes = 2048; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.page_bytes = 65536; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.log_limit_bytes = 2 << 20; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.log_segment_bytes = 1000; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.hash_bits = 0; }), ErrorCode::kInvalid);
  EXPECT_FALSE(env.Exists("store").value());
}

// Wherever the creation stops, what it leaves is no store, and the next creation succeeds.
TEST(StoreCreation, CutOffIsNoStoreAndCanBeRepeated) {
  for (uint64_t stop = 1;; ++stop) {
    SCOPED_TRACE("power fails at operation " + std::to_string(stop));
    MemoryEnv env;
    env.FailPowerAt(stop);
    const bool created = Store::Create(env, "store", SmallStore()).has_value();
    if (!env.HasPowerFailed()) break;
    for (auto kind : {CrashChoice::Kind::kAll, CrashChoice::Kind::kNone}) {
      auto image = env.CrashImage({kind, 0});
      auto opened = Store::Open(*image, "store");
      if (opened) continue;  // the failure came after the store was there
      EXPECT_FALSE(created);
      EXPECT_EQ(opened.error().code, ErrorCode::kNotFound) << opened.error().message;
      const auto again = Store::Create(*image, "store", SmallStore());
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_TRUE(Store::Open(*image, "store"));
    }
  }
}

// One that fails while the machine goes on takes away what it has made.
TEST(StoreCreation, OneThatFailsLeavesNothingBehind) {
  for (const bool existed : {false, true}) {
    for (uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE("write " + std::to_string(nth) + " fails");
      MemoryEnv env;
      ASSERT_TRUE(!existed || env.CreateDirectory("store"));
      env.InjectFault({.kind = OperationKind::kWrite, .nth = nth, .code = ErrorCode::kNoSpace});
      if (Store::Create(env, "store", SmallStore())) break;
      EXPECT_EQ(env.Exists("store").value(), existed);
      EXPECT_TRUE(!existed || env.ListDirectory("store").value().empty());
      EXPECT_TRUE(Store::Create(env, "store", SmallStore()));
    }
  }
}

TEST(StoreOpening, WhereThereIsNoneSaysSo) {
  MemoryEnv env;
  auto opened = Store::Open(env, "store");
  ASSERT_EQ(CodeOf(opened), ErrorCode::kNotFound);
  EXPECT_NE(opened.error().message.find("no kvfs store"), std::string::npos);
}

TEST(StoreOpening, RefusesASuperblockThatIsNone) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("store"));
  auto file = env.CreateFile("store/superblock").value();
  EXPECT_EQ(CodeOf(Store::Open(env, "store")), ErrorCode::kCorrupt);
  ASSERT_TRUE(file->Write(0, AsBytes(std::string(100'000, 'x'))));
  EXPECT_EQ(CodeOf(Store::Open(env, "store")), ErrorCode::kCorrupt);
}

TEST(StoreOpening, RefusesAnotherVersionByName) {
  MemoryEnv env;
  ASSERT_TRUE(Store::Create(env, "store", SmallStore()));
  auto file = env.OpenFile("store/superblock").value();
  std::byte version[4];
  StoreLittle(version, format::kVersion + 1);
  for (const uint64_t identity : format::kIdentityOffset) {
    ASSERT_TRUE(file->Write(identity + 16, version));
  }
  auto opened = Store::Open(env, "store");
  ASSERT_EQ(CodeOf(opened), ErrorCode::kUnsupported);
  EXPECT_NE(opened.error().message.find("version 2"), std::string::npos);
}

TEST(StoreOpening, KnowsTheParametersOfTheCreation) {
  MemoryEnv env;
  CreateOptions options = SmallStore();
  options.shards = 11;
  options.page_bytes = 16384;
  ASSERT_TRUE(Store::Create(env, "store", options));
  auto store = Store::Open(env, "store").value();
  ASSERT_TRUE(store->Put("name", std::string(2048, 'x')));  // inline in such a page
  EXPECT_EQ(store->GetStats().block_bytes_used, 0u);
  EXPECT_EQ(store->GetStats().page_bytes_used % 16384, 0u);
  EXPECT_TRUE(env.Exists("store/shard-10.keys").value());
  EXPECT_FALSE(env.Exists("store/shard-11.keys").value());
}

TEST(StoreOpening, NamesOfEqualHashAreToldApart) {
  MemoryEnv env;
  CreateOptions options = SmallStore();
  options.hash_bits = 1;
  ASSERT_TRUE(Store::Create(env, "store", options));
  auto store = Store::Open(env, "store").value();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(store->Put(std::to_string(i), "value " + std::to_string(i)));
  }
  for (int i = 0; i < 100; i += 2) ASSERT_TRUE(store->Erase(std::to_string(i)));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(store->Get(std::to_string(i)).value_or("absent"),
              i % 2 ? "value " + std::to_string(i) : "absent");
  }
}

}  // namespace
}  // namespace kvfs
