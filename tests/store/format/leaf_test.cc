// Leaves compared with a sorted list of records: every record is found, nothing else is, and each
// key has its place among them.
#include "store/format/leaf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "store/format/entry.h"
#include "store/format/name_hash.h"

namespace kvfs::format {
namespace {

constexpr PagePointer kSelf{3, 8};

class LeafModel : public testing::TestWithParam<std::tuple<uint32_t, unsigned, uint32_t>> {
 protected:
  uint32_t page_bytes() const { return std::get<0>(GetParam()); }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  RecordKey DrawKey(std::string* name) {
    // A few directories of the caller's, with names; and one of the store's, with clustered
    // numbers.
    if (Below(5) == 0)
      return {kFirstOwnDirectory | Below(2), Below(2) ? Below(40) : Below(1u << 20), {}};
    *name = std::string(Below(30) ? 1 + Below(12) : 255, static_cast<char>('a' + Below(26)));
    *name += std::to_string(Below(1000));
    name->resize(std::min<size_t>(name->size(), 255));
    return {1 + Below(3), hash_.PositionOf(*name), *name};
  }

  // Ascending and unique, and as many as fit in the page.
  void Fill() {
    names_.assign(2000, {});
    uint32_t bytes = 0;
    for (std::string& name : names_) {
      LeafRecord record{DrawKey(&name), Below(1u << Below(31)), {}};
      record.value = Bytes(value_).first(Below(10) ? Below(60) : Below(page_bytes() / 4));
      const auto place = std::ranges::lower_bound(records_, record.key, {}, &LeafRecord::key);
      if (place != records_.end() && place->key == record.key) continue;
      bytes += LeafRecordBytes(record) + kLeafGroupBytes;
      if (bytes > PageCapacityBytes(page_bytes())) break;
      records_.insert(place, record);
    }
    page_.resize(page_bytes());
    EncodeLeaf(records_, 0, kSelf, 1, page_);
  }

  void ExpectPlaceOf(const LeafView& leaf, const RecordKey& key) {
    const auto place = std::ranges::lower_bound(records_, key, {}, &LeafRecord::key);
    EXPECT_EQ(leaf.LowerBound(key), place - records_.begin());
    const auto found = leaf.Find(key);
    ASSERT_EQ(found.has_value(), place != records_.end() && place->key == key);
    if (!found) return;
    EXPECT_EQ(found->key, key);
    EXPECT_EQ(found->version, place->version);
    EXPECT_EQ(AsText(found->value), AsText(place->value));
  }

  std::mt19937 random_{std::get<1>(GetParam())};
  const NameHash hash_{9, std::get<2>(GetParam())};
  const std::vector<std::byte> value_ = std::vector<std::byte>(kMaxPageBytes, std::byte{'v'});
  std::vector<std::string> names_;
  std::vector<LeafRecord> records_;
  std::vector<std::byte> page_;
};

TEST_P(LeafModel, FindsWhatIsThereAndNothingElse) {
  Fill();
  ASSERT_GT(records_.size(), 5u);
  const auto sound = CheckPage(page_, 1, kSelf);
  ASSERT_TRUE(sound) << sound.error().message;
  const LeafView leaf(PageView(page_.data(), page_bytes()), hash_);
  EXPECT_TRUE(leaf.CheckOrder());
  EXPECT_FALSE(leaf.IsIncomplete());
  ASSERT_EQ(leaf.count(), records_.size());
  for (uint32_t i = 0; i < leaf.count(); ++i) {
    EXPECT_EQ(leaf.Record(i).key, records_[i].key);
    EXPECT_EQ(leaf.Record(i).version, records_[i].version);
    EXPECT_EQ(AsText(leaf.Record(i).value), AsText(records_[i].value));
    ExpectPlaceOf(leaf, records_[i].key);
  }
  for (int i = 0; i < 1000; ++i) {
    std::string name;
    const RecordKey key = DrawKey(&name);
    ExpectPlaceOf(leaf, key);
    ExpectPlaceOf(leaf, {key.directory, key.position, {}});
    ExpectPlaceOf(leaf, {Below(6), Below(uint64_t{1} << 63), "other"});
  }
  ExpectPlaceOf(leaf, {});
  ExpectPlaceOf(leaf, {~uint64_t{0}, ~uint64_t{0}, "z"});
}

INSTANTIATE_TEST_SUITE_P(Seeds, LeafModel,
                         testing::Combine(testing::Values(4096u, 16384u, 32768u),
                                          testing::Range(1u, 9u), testing::Values(0u, 61u)));

TEST(Leaf, TakesTwoOfTheLargestRecords) {
  const NameHash hash;
  for (uint32_t page_bytes = kMinPageBytes; page_bytes <= kMaxPageBytes; page_bytes *= 2) {
    const std::string name(255, 'n'), other(255, 'm'), meta(255, 'm');
    // The largest entry: longest name and meta, maximal numbers and tail, eight blocks far apart.
    const std::vector<std::byte> value(2 + 255 + 4 * kMaxVarintBytes +
                                       kDirectBlocks * kMaxBlockListItemBytes +
                                       InlineLimitBytes(page_bytes));
    const LeafRecord largest{{1, hash.PositionOf(name), name}, ~uint64_t{0}, value};
    EXPECT_LE(LeafRecordBytes(largest) + kLeafGroupBytes, MaxRecordBytes(page_bytes));
  }
}

TEST(Leaf, OfNothingIsIncomplete) {
  std::vector<std::byte> page(kMinPageBytes);
  EncodeLeaf({}, kIncompleteLeaf, kSelf, 1, page);
  ASSERT_TRUE(CheckPage(page, 1, kSelf));
  const NameHash hash;
  const LeafView leaf(PageView(page.data(), kMinPageBytes), hash);
  EXPECT_TRUE(leaf.IsIncomplete());
  EXPECT_FALSE(leaf.Find({1, 16, "a"}));
  EXPECT_EQ(leaf.LowerBound({1, 16, "a"}), 0u);
  EncodeLeaf({}, 0, kSelf, 1, page);
  EXPECT_FALSE(CheckPage(page, 1, kSelf)) << "a leaf that says it is whole has records";
}

TEST(RecordKey, IsOrderedBySpaceThenPositionThenName) {
  const RecordKey ascending[] = {{0, 0, ""},  {0, 0, "a"},  {0, 1, ""},     {1, 0, ""},
                                 {1, 0, "a"}, {1, 0, "aa"}, {1, 0, "\xff"}, {~0ull, 0, ""}};
  for (size_t i = 1; i < std::size(ascending); ++i) EXPECT_LT(ascending[i - 1], ascending[i]);
}

}  // namespace
}  // namespace kvfs::format
