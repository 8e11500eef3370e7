// The memtable compared with maps: of the newest records, and of what each of several snapshots
// must see.
#include "store/shard/memtable.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>

namespace kvfs {
namespace {

using format::RecordKey;

using Key = std::tuple<uint64_t, uint64_t, std::string>;
// No value: erased.
using Model = std::map<Key, std::optional<std::string>>;

RecordKey KeyOf(const Key& key) { return {std::get<0>(key), std::get<1>(key), std::get<2>(key)}; }

// A memtable, and maps with the same records.
class Table {
 public:
  void Put(const Key& key, std::optional<std::string> value) {
    std::optional<Bytes> bytes;
    if (value) bytes = AsBytes(*value);
    table_.Put(KeyOf(key), ++version_, bytes, keep_);
    model_[key] = std::move(value);
  }
  void TakeSnapshot() {
    keep_ = version_;
    snapshots_[version_] = model_;
  }
  void ExpectSame() {
    ExpectHolds(model_, Memtable::kNewest);
    for (const auto& [version, model] : snapshots_) ExpectHolds(model, version);
  }
  void ExpectSeeks(const Key& key) {
    Memtable::Iterator record(&table_, Memtable::kNewest);
    record.Seek(KeyOf(key));
    const auto expected = model_.lower_bound(key);
    ASSERT_EQ(record.Valid(), expected != model_.end());
    if (record.Valid()) {
      EXPECT_EQ(record.record().key(), KeyOf(expected->first));
    }
    EXPECT_EQ(table_.Find(KeyOf(key)) != nullptr, model_.contains(key));
  }

  const Memtable& table() const { return table_; }
  const Model& model() const { return model_; }

 private:
  static std::optional<std::string> ValueOf(const Memtable::Record& record) {
    if (record.is_erased()) return std::nullopt;
    return std::string(AsText(record.value()));
  }
  void ExpectHolds(const Model& expected, uint64_t at) {
    Memtable::Iterator record(&table_, at);
    record.Seek({});
    for (const auto& [key, value] : expected) {
      ASSERT_TRUE(record.Valid());
      ASSERT_EQ(record.record().key(), KeyOf(key));
      ASSERT_EQ(ValueOf(record.record()), value);
      ASSERT_EQ(table_.Find(KeyOf(key), at), &record.record());
      record.Next();
    }
    EXPECT_FALSE(record.Valid());
  }

  Memtable table_;
  Model model_;
  std::map<uint64_t, Model> snapshots_;
  uint64_t version_ = 0;
  uint64_t keep_ = 0;
};

TEST(Memtable, EmptyHoldsNothing) {
  Table table;
  table.ExpectSame();
  EXPECT_EQ(table.table().Find({1, 2, "a"}), nullptr);
  EXPECT_EQ(table.table().bytes(), 0u);
}

TEST(Memtable, HoldsWhatAMapHoldsForEverySnapshot) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Table table;
    const uint64_t positions = seed % 2 ? 5'000 : 40;
    auto draw_key = [&] {
      return Key{random() % 3, random() % positions, std::string(1, "abc"[random() % 3])};
    };
    for (int step = 0; step < 6'000; ++step) {
      if (step % 1'500 == 1'499) table.TakeSnapshot();
      const bool erases = random() % 4 == 0;
      table.Put(draw_key(), erases ? std::nullopt : std::optional(std::string(random() % 50, 'v')));
      if (step % 50 == 0) table.ExpectSeeks(draw_key());
      if (step % 2'000 == 0) table.ExpectSame();
      if (testing::Test::HasFailure()) return;
    }
    table.ExpectSame();
    EXPECT_EQ(table.table().count(), table.model().size());
  }
}

TEST(Memtable, KeysInOrderAreFound) {
  for (const bool ascending : {true, false}) {
    Table table;
    for (uint64_t i = 0; i < 5'000; ++i) table.Put({1, ascending ? i : 5'000 - i, ""}, "x");
    table.ExpectSame();
  }
}

TEST(Memtable, ReplacingInPlaceTakesNoMoreMemory) {
  Table table;
  table.Put({1, 2, "counter"}, std::string(100, 'x'));
  const size_t before = table.table().bytes();
  for (int i = 0; i < 10'000; ++i) table.Put({1, 2, "counter"}, std::string(100, 'y'));
  EXPECT_EQ(table.table().bytes(), before);
  // A slot, a length, the name, the version, the value, and possibly a new group.
  EXPECT_EQ(table.table().record_bytes(), 6 + 1 + 7 + 2 + 100 + 10u);
  table.Put({1, 2, "counter"}, std::nullopt);
  EXPECT_EQ(table.table().record_bytes(), 0u);
}

TEST(Memtable, SeveralChangesOfOneVersionAreOne) {
  Memtable table;
  table.Put({1, 2, "a"}, 5, AsBytes("first"), 0);
  table.Put({1, 2, "a"}, 6, AsBytes("second"), 5);
  table.Put({1, 2, "a"}, 6, AsBytes("a longer third"), 5);
  EXPECT_EQ(AsText(table.Find({1, 2, "a"}, 5)->value()), "first");
  EXPECT_EQ(AsText(table.Find({1, 2, "a"}, 6)->value()), "a longer third");
  EXPECT_EQ(table.Find({1, 2, "a"}, 4), nullptr);
}

}  // namespace
}  // namespace kvfs
