// Entries and their names: put, looked up, moved, listed, erased; and their ids.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "store/format/entry.h"
#include "tests/store/store_fixture.h"

namespace kvfs {
namespace {

class Entries : public StoreFixture {};

TEST_F(Entries, AReservedIdIsNobodyElses) {
  const uint64_t id = store_->ReserveId("dir");
  std::set<uint64_t> others;
  for (int i = 0; i < 50; ++i) others.insert(PutNew(kRootDirectory, std::to_string(i)));
  EXPECT_FALSE(others.contains(id));
  ASSERT_TRUE(Apply([&](Batch& batch) {
    batch.PutAs({kRootDirectory, "dir"}, id, {}, "d");
    batch.Put({id, "child"}, AsBytes(std::string_view("in it")));
  }));
  EXPECT_EQ(Stat("dir").id, id);
  EXPECT_EQ(List(id), std::vector<std::string>{"child"});
  EXPECT_EQ(CodeOf(Apply([&](Batch& b) {
              b.PutAs({kRootDirectory, "dir"}, id + 3, {}, "d");
            })),
            ErrorCode::kExists);
  Reopen();
  EXPECT_GT(PutNew(kRootDirectory, "later") / 3, id / 3 - 1);
  EXPECT_EQ(Stat("dir").id, id);
}

TEST_F(Entries, GetsWhatWasPut) {
  ASSERT_TRUE(store_->Put("foo", "bar"));
  EXPECT_EQ(store_->Get("foo").value(), "bar");
  ASSERT_TRUE(store_->Put("foo", "other"));
  EXPECT_EQ(store_->Get("foo").value(), "other");
  ASSERT_TRUE(store_->Erase("foo"));
  EXPECT_EQ(CodeOf(store_->Get("foo")), ErrorCode::kNotFound);
}

TEST_F(Entries, AbsentIsToldApartFromEmpty) {
  ASSERT_TRUE(store_->Put("empty", ""));
  EXPECT_EQ(store_->Get("empty").value(), "");
  EXPECT_EQ(CodeOf(store_->Get("absent")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store_->Stat({kRootDirectory, "absent"})), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store_->Erase("absent")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(Write("absent", 0, "x")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(Resize("absent", 1)), ErrorCode::kNotFound);
}

TEST_F(Entries, PutCanRefuseAPresentEntry) {
  PutNew(kRootDirectory, "name");
  auto again = Apply([](Batch& batch) {
    batch.Put({kRootDirectory, "name"}, AsBytes("x"), {}, Batch::IfPresent::kRefuse);
  });
  EXPECT_EQ(CodeOf(again), ErrorCode::kExists);
  EXPECT_EQ(store_->Get("name").value(), "");
}

TEST_F(Entries, ARefusedBatchChangesNothing) {
  ASSERT_TRUE(store_->Put("kept", "old"));
  auto refused = Apply([](Batch& batch) {
    batch.Put({kRootDirectory, "kept"}, AsBytes("new"));
    batch.Put({kRootDirectory, "other"}, AsBytes("new"));
    batch.Erase({kRootDirectory, "absent"});
  });
  EXPECT_EQ(CodeOf(refused), ErrorCode::kNotFound);
  EXPECT_EQ(store_->Get("kept").value(), "old");
  EXPECT_EQ(CodeOf(store_->Get("other")), ErrorCode::kNotFound);
}

TEST_F(Entries, LaterChangesOfABatchSeeTheEarlierOnes) {
  ASSERT_TRUE(Apply([](Batch& batch) {
    batch.Put({kRootDirectory, "a"}, AsBytes("hello"));
    batch.Write({kRootDirectory, "a"}, 5, AsBytes(" world"));
    batch.Move({kRootDirectory, "a"}, {kRootDirectory, "b"});
    batch.Put({kRootDirectory, "a"}, AsBytes("again"));
  }));
  EXPECT_EQ(store_->Get("a").value(), "again");
  EXPECT_EQ(store_->Get("b").value(), "hello world");
}

TEST_F(Entries, NamesHaveOneTo255BytesOfAnyValue) {
  EXPECT_EQ(CodeOf(store_->Put("", "x")), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(store_->Put(std::string(256, 'n'), "x")), ErrorCode::kInvalid);
  std::string odd(255, '\0');
  for (size_t i = 0; i < odd.size(); ++i) odd[i] = static_cast<char>(i);
  for (const std::string& name : {std::string(1, '\0'), std::string("/"), odd}) {
    EXPECT_TRUE(store_->Put(name, "x"));
    EXPECT_EQ(store_->Get(name).value(), "x");
  }
  EXPECT_EQ(CodeOf(Apply([](Batch& batch) {
              batch.Move({kRootDirectory, "/"}, {kRootDirectory, std::string_view()});
            })),
            ErrorCode::kInvalid);
}

TEST_F(Entries, TheStoresOwnDirectoriesAreRefused) {
  for (DirectoryId directory : {format::kOrphanDirectory, uint64_t{1} << 63}) {
    auto put = Apply([&](Batch& batch) { batch.Put({directory, "x"}, {}); });
    EXPECT_EQ(CodeOf(put), ErrorCode::kInvalid) << directory;
  }
}

TEST_F(Entries, MetaHasAtMost255Bytes) {
  const std::string longest(255, 'm'), longer(256, 'm');
  auto put = [&](const std::string& meta) {
    return Apply([&](Batch& batch) { batch.Put({kRootDirectory, "name"}, {}, meta); });
  };
  EXPECT_TRUE(put(longest));
  EXPECT_EQ(CodeOf(put(longer)), ErrorCode::kTooLarge);
  auto edit = Apply([](Batch& batch) {
    batch.EditMeta({kRootDirectory, "name"}, [](std::string& meta) { meta += "x"; });
  });
  EXPECT_EQ(CodeOf(edit), ErrorCode::kTooLarge);
  EXPECT_EQ(Stat("name").meta, longest);
}

TEST_F(Entries, PutKeepsMetaAndIdOfAPresentEntry) {
  ASSERT_TRUE(Apply([](Batch& batch) { batch.Put({kRootDirectory, "name"}, {}, "meta"); }));
  const uint64_t id = Stat("name").id;
  ASSERT_TRUE(store_->Put("name", std::string(10'000, 'x')));
  EXPECT_EQ(Stat("name").meta, "meta");
  EXPECT_EQ(Stat("name").id, id);
}

TEST_F(Entries, RefusesABatchThatDoesNotFitIntoALogSegment) {
  // Small values, since whole blocks do not go through the log.
  const std::string value(900, 'v');
  std::vector<std::string> names;
  for (int i = 0; i < 1500; ++i) names.push_back("name " + std::to_string(i));
  auto put_all = Apply([&](Batch& batch) {
    for (const auto& name : names) batch.Put({kRootDirectory, name}, AsBytes(value));
  });
  EXPECT_EQ(CodeOf(put_all), ErrorCode::kTooLarge);
  EXPECT_TRUE(List().empty());
  EXPECT_TRUE(store_->Put("name", "x")) << "it goes on";
}

TEST_F(Entries, IdsAreUniqueAndStayAcrossMoveAndReopening) {
  std::set<uint64_t> ids;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      const std::string name = "name " + std::to_string(i);
      const uint64_t id = PutNew(kRootDirectory, name);
      EXPECT_GE(id, kFirstId);
      EXPECT_TRUE(ids.insert(id).second) << "given twice: " << id;
      const std::string moved = name + " moved " + std::to_string(round);
      ASSERT_TRUE(Apply([&](Batch& batch) { batch.Move({kRootDirectory, name}, {99, moved}); }));
      EXPECT_EQ(store_->Stat({99, moved}).value().id, id);
    }
    Reopen();
  }
  for (const std::string& name : List(99)) {
    EXPECT_TRUE(ids.contains(store_->Stat({99, name}).value().id));
  }
}

TEST_F(Entries, MovesReplaceAndKeepContents) {
  const std::string large(50'000, 'x');
  ASSERT_TRUE(store_->Put("from", large));
  ASSERT_TRUE(store_->Put("to", std::string(20'000, 'y')));
  auto move = [&](Key from, Key to) { return Apply([&](Batch& batch) { batch.Move(from, to); }); };
  ASSERT_TRUE(move({kRootDirectory, "from"}, {kRootDirectory, "to"}));
  EXPECT_EQ(CodeOf(store_->Get("from")), ErrorCode::kNotFound);
  EXPECT_TRUE(store_->Get("to").value() == large);
  ASSERT_TRUE(move({kRootDirectory, "to"}, {kRootDirectory, "to"})) << "to itself: nothing happens";
  EXPECT_TRUE(store_->Get("to").value() == large);
  EXPECT_EQ(CodeOf(move({kRootDirectory, "absent"}, {kRootDirectory, "to"})), ErrorCode::kNotFound);
  EXPECT_EQ(store_->GetStats().entries, 1u);
}

TEST_F(Entries, ListsInOrderOfPositionAndResumesThere) {
  std::set<std::string> names;
  for (int i = 0; i < 300; ++i) names.insert("name " + std::to_string(i));
  for (const auto& name : names) ASSERT_TRUE(store_->Put(name, ""));
  std::vector<std::pair<Position, std::string>> all;
  Position from = 0;
  for (bool more = true; more;) {
    more = false;
    ASSERT_TRUE(store_->List(kRootDirectory, from, [&](const ListedEntry& entry) {
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

}  // namespace
}  // namespace kvfs
