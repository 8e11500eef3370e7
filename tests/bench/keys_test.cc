// The keys and values of a run.

#include "bench/keys.h"

#include <gtest/gtest.h>

namespace kvfs::bench {
namespace {

TEST(Keys, HaveSixteenDigitsInTheOrderOfTheirNumbers) {
  EXPECT_EQ(KeyText(0).view(), "0000000000000000");
  EXPECT_EQ(KeyText(1234).view(), "0000000000001234");
  EXPECT_LT(KeyText(99).view(), KeyText(100).view());
  EXPECT_EQ(NumberIn(KeyText(20'000'001).view()), 20'000'001u);
}

TEST(Keys, AbsentOnesLieBetweenThoseThatAreThere) {
  EXPECT_LT(NumberOf(7), AbsentNumber(7));
  EXPECT_LT(AbsentNumber(7), NumberOf(8));
}

TEST(Values, ProveWhoseTheyAre) {
  for (const size_t value_bytes : {size_t{8}, size_t{16}, size_t{100}, size_t{1'000'000}}) {
    Values values(value_bytes);
    const std::string_view value = values.Make(42);
    EXPECT_TRUE(Proves(value, 42, value_bytes));
    EXPECT_FALSE(Proves(value, 43, value_bytes));
    EXPECT_FALSE(Proves(value.substr(1), 42, value_bytes));
  }
  EXPECT_FALSE(Proves("", 42, 100));
}

TEST(Values, OfOneBatchStandBesideEachOther) {
  Values values(100);
  std::vector<std::string_view> batch;
  for (uint64_t number = 0; number < Values::kSlots; ++number) batch.push_back(values.Make(number));
  for (uint64_t number = 0; number < batch.size(); ++number) {
    ASSERT_TRUE(Proves(batch[number], number, 100)) << number;
  }
}

TEST(Values, OfOneKeyDifferFromTurnToTurn) {
  Values values(100);
  const std::string first(values.Make(1));
  EXPECT_NE(first, values.Make(1));
}

}  // namespace
}  // namespace kvfs::bench
