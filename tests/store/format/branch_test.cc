// Branches compared with a sorted list of keys: each key leads to its child.
#include "store/format/branch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace kvfs::format {
namespace {

constexpr PagePointer kSelf{3, 8};

// The distribution of the keys' positions: branches of one large directory, of many small ones, of
// clustered numbers, and of one position that many names share.
enum class Spread { kEven, kManySpaces, kClusters, kOnePosition };

class BranchModel : public testing::TestWithParam<std::tuple<Spread, unsigned>> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  RecordKey DrawKey() {
    switch (std::get<0>(GetParam())) {
      case Spread::kEven:
        return {1, random_() >> 1, {}};
      case Spread::kManySpaces:
        return {Below(200), random_() >> 1, {}};
      case Spread::kClusters:
        return {1 + Below(2), Below(4) << 40 | Below(50), {}};
      case Spread::kOnePosition:
        return {1, 1000 + Below(3), NameOf(Below(names_.size()))};
    }
    return {};
  }
  std::string_view NameOf(size_t index) { return names_[index]; }

  std::mt19937_64 random_{std::get<1>(GetParam())};
  std::vector<std::string> names_ = [] {
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) names.push_back("name" + std::to_string(i));
    return names;
  }();
};

TEST_P(BranchModel, FindsTheChildBelowWhichAKeyBelongs) {
  std::set<RecordKey> keys = {{}};
  while (keys.size() < 90 && Below(200) != 0) keys.insert(DrawKey());
  std::vector<BranchRecord> records;
  for (const RecordKey& key : keys) {
    const auto number = static_cast<uint64_t>(records.size());
    records.push_back({key, {100 + number, number}, static_cast<uint32_t>(number)});
  }
  std::vector<std::byte> page(kMinPageBytes);
  EncodeBranch(records, kSelf, 1, page);
  const auto sound = CheckPage(page, 1, kSelf);
  ASSERT_TRUE(sound) << sound.error().message;
  const BranchView branch(PageView(page.data(), kMinPageBytes));
  EXPECT_TRUE(branch.CheckOrder());
  auto expected = [&](const RecordKey& key) {
    return static_cast<uint32_t>(std::distance(keys.begin(), keys.upper_bound(key)) - 1);
  };
  for (uint32_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(branch.Key(i), records[i].key);
    EXPECT_EQ(branch.Child(i), records[i].child);
    EXPECT_EQ(branch.Count(i), records[i].count);
    EXPECT_EQ(branch.ChildIndex(records[i].key), i);
  }
  for (int i = 0; i < 2000; ++i) {
    RecordKey key = DrawKey();
    EXPECT_EQ(branch.ChildIndex(key), expected(key));
    key.name = NameOf(Below(names_.size()));
    EXPECT_EQ(branch.ChildIndex(key), expected(key));
    ++key.position;
    EXPECT_EQ(branch.ChildIndex(key), expected(key));
    ++key.directory;
    EXPECT_EQ(branch.ChildIndex(key), expected(key));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, BranchModel,
                         testing::Combine(testing::Values(Spread::kEven, Spread::kManySpaces,
                                                          Spread::kClusters, Spread::kOnePosition),
                                          testing::Range(1u, 21u)));

TEST(Branch, BelowItsFirstKeyIsTheFirstChild) {
  const BranchRecord records[] = {{{5, 0, {}}, {10, 1}, 1}, {{6, 0, {}}, {11, 1}, 1}};
  std::vector<std::byte> page(kMinPageBytes);
  EncodeBranch(records, kSelf, 1, page);
  const BranchView branch(PageView(page.data(), kMinPageBytes));
  EXPECT_EQ(branch.ChildIndex({0, 0, {}}), 0u);
  EXPECT_EQ(branch.ChildIndex({5, 9, "x"}), 0u);
  EXPECT_EQ(branch.ChildIndex({7, 0, {}}), 1u);
}

TEST(Branch, TakesTwoOfTheLargestRecords) {
  const std::string name(255, 'n');
  EXPECT_LE(BranchRecordBytes({{1, 1, name}, {}, 0}), MaxRecordBytes(kMinPageBytes));
}

}  // namespace
}  // namespace kvfs::format
