// Every operation of a batch: what it refuses, with which error, and that a refusal changes
// nothing; and its effect at the ends of contents, where an entry's shape changes.
#include <gtest/gtest.h>

#include <functional>

#include <kvfs/batch.h>
#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr Key kOne = {kRootDirectory, "one"}, kOther = {kRootDirectory, "other"},
              kAbsentKey = {kRootDirectory, "absent"};

void Longer(std::string& meta) { meta.assign(kMaxMetaBytes + 1, 'm'); }
void Longest(std::string& meta) { meta.assign(kMaxMetaBytes, 'm'); }

class BatchTest : public testing::Test {
 protected:
  BatchTest() {
    EXPECT_TRUE(Store::Create(env_, "store", SmallStore(3, 4096)));
    store_ = Store::Open(env_, "store").value();
    EXPECT_TRUE(Try([](Batch& batch) {
      batch.Put(kOne, AsBytes("content of one"), "meta of one");
      batch.Put(kOther, AsBytes("content of the other"), "meta of the other");
    }));
  }

  Result<void> Try(const std::function<void(Batch&)>& fill) {
    Batch batch;
    fill(batch);
    return store_->Apply(batch);
  }
  // Expects a refusal, and that an earlier change of the same batch is not applied.
  void ExpectRefused(ErrorCode code, const std::function<void(Batch&)>& fill) {
    const auto done = Try([&](Batch& batch) {
      batch.Put({kRootDirectory, "first"}, {});
      fill(batch);
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code) << done.error().message;
    EXPECT_FALSE(store_->Stat({kRootDirectory, "first"}));
    EXPECT_EQ(Content(kOne), "content of one");
    EXPECT_EQ(Info(kOne).meta, "meta of one");
  }
  std::string Content(Key key) { return store_->Get(key.name).value_or("none"); }
  EntryInfo Info(Key key) { return store_->Stat(key).value(); }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

// All operations, on one key and, for those with two keys, another one.
void ForEachOperation(
    const std::function<void(const char*, std::function<void(Batch&, Key, Key)>)>& visit) {
  const std::pair<const char*, std::function<void(Batch&, Key, Key)>> kAll[] = {
      {"erase", [](Batch& batch, Key key, Key) { batch.Erase(key); }},
      {"write", [](Batch& batch, Key key, Key) { batch.Write(key, 0, AsBytes("x")); }},
      {"resize", [](Batch& batch, Key key, Key) { batch.Resize(key, 1); }},
      {"punch", [](Batch& batch, Key key, Key) { batch.Punch(key, 0, 1); }},
      {"allocate", [](Batch& batch, Key key, Key) { batch.Allocate(key, 0, 1); }},
      {"edit", [](Batch& batch, Key key, Key) { batch.EditMeta(key, Longest); }},
      {"move", [](Batch& batch, Key key, Key to) { batch.Move(key, to); }},
      {"exchange", [](Batch& batch, Key key, Key to) { batch.Exchange(key, to); }},
      {"take", [](Batch& batch, Key key, Key from) { batch.TakeContent(key, from); }}};
  for (const auto& [name, add] : kAll) visit(name, add);
}

TEST_F(BatchTest, NoOperationTakesAKeyThatIsNone) {
  const std::string longer(kMaxNameBytes + 1, 'n');
  const Key kBad[] = {{kRootDirectory, ""}, {kRootDirectory, longer}, {uint64_t{1} << 63, "name"}};
  for (const Key& bad : kBad) {
    ForEachOperation([&](const char* name, auto add) {
      SCOPED_TRACE(name);
      ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { add(batch, bad, kOther); });
    });
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Put(bad, {}); });
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Expect(bad, 0); });
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Restore(bad, 1000, ""); });
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Move(kOne, bad); });
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Exchange(kOne, bad); });
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.TakeContent(kOne, bad); });
  }
}

TEST_F(BatchTest, WhatChangesAnEntryNeedsIt) {
  ForEachOperation([&](const char* name, auto add) {
    SCOPED_TRACE(name);
    ExpectRefused(ErrorCode::kNotFound, [&](Batch& batch) { add(batch, kAbsentKey, kOther); });
  });
  ExpectRefused(ErrorCode::kNotFound, [](Batch& batch) { batch.Exchange(kOne, kAbsentKey); });
  ExpectRefused(ErrorCode::kNotFound, [](Batch& batch) { batch.TakeContent(kOne, kAbsentKey); });
}

TEST_F(BatchTest, RangesEndBelowTwoToThe63) {
  for (const auto& [offset, length] :
       {std::pair{kMaxContentBytes, uint64_t{1}}, std::pair{uint64_t{1}, kMaxContentBytes},
        std::pair{kMaxContentBytes + 1, uint64_t{0}}}) {
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Punch(kOne, offset, length); });
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Allocate(kOne, offset, length); });
  }
  EXPECT_TRUE(Try([](Batch& batch) { batch.Punch(kOne, 0, kMaxContentBytes); }));
  EXPECT_EQ(Content(kOne), std::string(14, '\0')) << "the range ends with the content";
}

TEST_F(BatchTest, EveryEditEndsAtTheLongestMeta) {
  using Add = std::function<void(Batch&, MetaEdit)>;
  const Add kAdds[] = {
      [](Batch& batch, MetaEdit edit) { batch.Write(kOne, 0, AsBytes("c"), edit); },
      [](Batch& batch, MetaEdit edit) { batch.Write(kOne, 0, {}, edit); },
      [](Batch& batch, MetaEdit edit) { batch.Resize(kOne, 14, edit); },
      [](Batch& batch, MetaEdit edit) { batch.Punch(kOne, 14, 1, edit); },
      [](Batch& batch, MetaEdit edit) { batch.Allocate(kOne, 0, 1, edit); },
      [](Batch& batch, MetaEdit edit) { batch.Move(kOne, kOne, edit); },
      [](Batch& batch, MetaEdit edit) { batch.EditMeta(kOne, edit); },
      [](Batch& batch, MetaEdit edit) { batch.Exchange(kOther, kOne, {}, edit); },
      [](Batch& batch, MetaEdit edit) { batch.Exchange(kOne, kOther, edit); }};
  for (const Add& add : kAdds) {
    ExpectRefused(ErrorCode::kTooLarge, [&](Batch& batch) { add(batch, Longer); });
  }
  for (const Add& add : kAdds) {
    ASSERT_TRUE(Try([](Batch& batch) { batch.Put(kOne, AsBytes("content of one"), "short"); }));
    ASSERT_TRUE(Try([](Batch& batch) { batch.Put(kOther, AsBytes("content of one"), "short"); }));
    ASSERT_TRUE(Try([&](Batch& batch) { add(batch, Longest); }));
    EXPECT_EQ(Info(kOne).meta.size() + Info(kOther).meta.size(), kMaxMetaBytes + 5);
    EXPECT_EQ(Content(kOne), "content of one");
  }
}

TEST_F(BatchTest, MetasOfNewEntriesEndThereToo) {
  const std::string longer(kMaxMetaBytes + 1, 'm');
  ExpectRefused(ErrorCode::kTooLarge, [&](Batch& batch) { batch.Put(kAbsentKey, {}, longer); });
  ExpectRefused(ErrorCode::kTooLarge,
                [&](Batch& batch) { batch.Restore(kAbsentKey, 1000, longer); });
}

TEST_F(BatchTest, AMoveThatMayNotReplaceIsRefused) {
  const auto move = [](Key to) {
    return [to](Batch& batch) { batch.Move(kOne, to, {}, Batch::IfPresent::kRefuse); };
  };
  ExpectRefused(ErrorCode::kExists, move(kOther));
  EXPECT_TRUE(Try(move(kOne))) << "it has that name itself";
  EXPECT_TRUE(Try(move(kAbsentKey)));
  EXPECT_EQ(Content(kAbsentKey), "content of one");
  EXPECT_EQ(Content(kOne), "none");
}

TEST_F(BatchTest, AnExchangeTakesContentsIdsAndMetasAlong) {
  const std::string large(30'000, 'o');
  ASSERT_TRUE(Try([&](Batch& batch) { batch.Put(kOther, AsBytes(large)); }));
  const EntryInfo one = Info(kOne), other = Info(kOther);
  ASSERT_TRUE(Try([](Batch& batch) {
    batch.Exchange(
        kOne, kOther, [](std::string& meta) { meta += "!"; },
        [](std::string& meta) { meta += "?"; });
  }));
  EXPECT_EQ(Content(kOne), large);
  EXPECT_EQ(Content(kOther), "content of one");
  EXPECT_EQ(Info(kOne).id, other.id);
  EXPECT_EQ(Info(kOther).id, one.id);
  EXPECT_EQ(Info(kOne).meta, "meta of the other?");
  EXPECT_EQ(Info(kOther).meta, "meta of one!");
}

TEST_F(BatchTest, AnExchangeWithItselfEditsOnce) {
  ASSERT_TRUE(Try([](Batch& batch) {
    batch.Exchange(
        kOne, kOne, [](std::string& meta) { meta = "first"; },
        [](std::string& meta) { meta = "second"; });
  }));
  EXPECT_EQ(Info(kOne).meta, "first");
  EXPECT_EQ(Content(kOne), "content of one");
  EXPECT_EQ(store_->GetStats().entries, 2u);
}

TEST_F(BatchTest, AnExpectationIsOfWhatWasBeforeTheBatch) {
  const uint64_t version = Info(kOne).version;
  ExpectRefused(ErrorCode::kExists, [](Batch& batch) { batch.Expect(kOne, Batch::kAbsent); });
  ExpectRefused(ErrorCode::kNotFound, [&](Batch& batch) { batch.Expect(kAbsentKey, version); });
  ExpectRefused(ErrorCode::kConflict, [&](Batch& batch) { batch.Expect(kOne, version + 1); });
  EXPECT_TRUE(Try([&](Batch& batch) {
    batch.Put(kAbsentKey, {});
    batch.Erase(kOne);
    batch.Expect(kOne, version);
    batch.Expect(kAbsentKey, Batch::kAbsent);
  }));
  EXPECT_EQ(Content(kOne), "none");
}

TEST_F(BatchTest, AConflictTellsBothVersions) {
  const uint64_t version = Info(kOne).version;
  const auto done = Try([&](Batch& batch) { batch.Expect(kOne, version + 7); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the entry has version " + std::to_string(version) + ", not " +
                                      std::to_string(version + 7));
}

TEST_F(BatchTest, WritingNothingChangesNoMoreThanTheMeta) {
  const uint64_t version = Info(kOne).version;
  ASSERT_TRUE(Try([](Batch& batch) { batch.Write(kOne, 1'000'000, {}); }));
  EXPECT_EQ(Info(kOne).version, version);
  ASSERT_TRUE(Try([](Batch& batch) {
    batch.Write(kOne, 1'000'000, {}, [](std::string& meta) { meta = "edited"; });
  }));
  EXPECT_EQ(Info(kOne).meta, "edited");
  EXPECT_EQ(Info(kOne).size_bytes, 14u);
}

TEST_F(BatchTest, ARestoredEntryHasItsIdAndLaterOnesAreAboveIt) {
  constexpr uint64_t kId = 9'000'000;
  for (const uint64_t bad : {uint64_t{0}, kFirstId - 1, (uint64_t{1} << 62) + 1}) {
    ExpectRefused(ErrorCode::kInvalid, [&](Batch& batch) { batch.Restore(kAbsentKey, bad, ""); });
  }
  ExpectRefused(ErrorCode::kExists, [&](Batch& batch) { batch.Restore(kOther, kId, ""); });
  ASSERT_TRUE(Try([&](Batch& batch) { batch.Restore({kId + 300, "name"}, kId, "restored"); }));
  EXPECT_EQ(store_->Stat({kId + 300, "name"}).value().id, kId);
  EXPECT_EQ(store_->Stat({kId + 300, "name"}).value().meta, "restored");
  // The shards of the id and of its directory.
  for (int i = 0; i < 30; ++i) {
    const std::string name = "later" + std::to_string(i);
    ASSERT_TRUE(store_->Put(name, ""));
    const uint64_t id = store_->Stat({kRootDirectory, name}).value().id;
    if (id % 3 == kId % 3) {
      EXPECT_GT(id, kId);
    }
    if (id % 3 == (kId + 300) % 3) {
      EXPECT_GT(id, kId + 300);
    }
  }
}

// Sizes on both sides of each change of shape: in the entry, with blocks, with a tail, in chunks.
constexpr uint64_t kSizes[] = {0,     1,     100,    500,    1023,    1024,     1025, 4095,
                               4096,  4097,  4196,   4596,   5120,    5121,     8192, 9000,
                               16384, 32768, 40'000, 65'536, 300'000, 1'100'000};

TEST_F(BatchTest, FromAnySizeToAnyOther) {
  for (const uint64_t before : kSizes) {
    for (const uint64_t after : kSizes) {
      const std::string content(before, 'c');
      ASSERT_TRUE(Try([&](Batch& batch) { batch.Put(kOne, AsBytes(content)); }));
      ASSERT_TRUE(Try([&](Batch& batch) { batch.Resize(kOne, after); }));
      std::string expected = content;
      expected.resize(after);
      EXPECT_TRUE(Content(kOne) == expected) << before << " to " << after;
      // Truncated bytes do not reappear.
      ASSERT_TRUE(Try([&](Batch& batch) { batch.Resize(kOne, before); }));
      expected.resize(before);
      EXPECT_TRUE(Content(kOne) == expected) << before << " to " << after << " and back";
    }
  }
  ASSERT_TRUE(Try([](Batch& batch) { batch.Erase(kOne); }));
  ASSERT_TRUE(store_->Checkpoint());
  const StoreStats stats = store_->GetStats();
  EXPECT_EQ(stats.block_bytes_used, 0u) << "all blocks have come back";
}

TEST_F(BatchTest, PartsOfAnySizeAreWrittenPunchedAndAllocated) {
  for (const uint64_t size : kSizes) {
    for (const uint64_t at : {uint64_t{0}, uint64_t{1}, uint64_t{4095}, uint64_t{4096}, size / 2}) {
      for (const uint64_t length : {uint64_t{1}, uint64_t{4096}, uint64_t{9000}}) {
        SCOPED_TRACE(std::to_string(size) + ": " + std::to_string(length) + " at " +
                     std::to_string(at));
        std::string expected(size, 'c');
        const std::string part(length, 'p');
        ASSERT_TRUE(Try([&](Batch& batch) {
          batch.Put(kOne, AsBytes(expected));
          batch.Punch(kOne, at, length);
          batch.Allocate(kOne, at, length);
        }));
        if (at < size)
          std::fill_n(expected.begin() + static_cast<ptrdiff_t>(at), std::min(length, size - at),
                      '\0');
        ASSERT_TRUE(Content(kOne) == expected);
        ASSERT_TRUE(Try([&](Batch& batch) { batch.Write(kOne, at, AsBytes(part)); }));
        if (expected.size() < at + length) expected.resize(at + length);
        std::fill_n(expected.begin() + static_cast<ptrdiff_t>(at), length, 'p');
        ASSERT_TRUE(Content(kOne) == expected);
      }
    }
  }
}

TEST_F(BatchTest, HolesCostNothingAndAllocatedOnesABlockEach) {
  ASSERT_TRUE(Try([](Batch& batch) {
    batch.Put(kOne, {});
    batch.Resize(kOne, 100 * 4096);
  }));
  EXPECT_EQ(Info(kOne).allocated_bytes, 0u);
  ASSERT_TRUE(Try([](Batch& batch) { batch.Allocate(kOne, 4096, 3 * 4096); }));
  EXPECT_EQ(Info(kOne).allocated_bytes, 3 * 4096u);
  ASSERT_TRUE(Try([](Batch& batch) { batch.Allocate(kOne, 4095, 2); }));
  EXPECT_EQ(Info(kOne).allocated_bytes, 4 * 4096u) << "of two blocks one was a hole";
  ASSERT_TRUE(Try([](Batch& batch) { batch.Punch(kOne, 4097, 2 * 4096); }));
  EXPECT_EQ(Info(kOne).allocated_bytes, 3 * 4096u) << "one is whole in the range";
  ASSERT_TRUE(Try([](Batch& batch) { batch.Punch(kOne, 0, 100 * 4096); }));
  EXPECT_EQ(Info(kOne).allocated_bytes, 0u);
}

}  // namespace
}  // namespace kvfs
