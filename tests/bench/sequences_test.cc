// The orders in which entries are visited.

#include "bench/sequences.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace kvfs::bench {
namespace {

std::vector<uint64_t> AllOf(const Permutation& order, uint64_t size) {
  std::vector<uint64_t> numbers;
  for (uint64_t i = 0; i < size; ++i) numbers.push_back(order.At(i));
  return numbers;
}

TEST(Permutation, VisitsEachNumberOnce) {
  for (const uint64_t size : {1u, 2u, 3u, 64u, 1000u, 1025u, 100'000u}) {
    std::vector<uint64_t> numbers = AllOf(Permutation(size, 7), size);
    std::ranges::sort(numbers);
    for (uint64_t i = 0; i < size; ++i) ASSERT_EQ(numbers[i], i) << "of " << size;
  }
}

TEST(Permutation, AnotherSeedIsAnotherOrder) {
  EXPECT_EQ(AllOf(Permutation(1000, 1), 1000), AllOf(Permutation(1000, 1), 1000));
  EXPECT_NE(AllOf(Permutation(1000, 1), 1000), AllOf(Permutation(1000, 2), 1000));
}

// In a random order, about half of all neighbours ascend, and their mean distance is a third of the
// range.
TEST(Permutation, LooksRandom) {
  constexpr uint64_t kSize = 100'000;
  const std::vector<uint64_t> numbers = AllOf(Permutation(kSize, 3), kSize);
  double ascents = 0;
  double distance = 0;
  for (uint64_t i = 1; i < kSize; ++i) {
    const double step = static_cast<double>(numbers[i]) - static_cast<double>(numbers[i - 1]);
    ascents += step > 0 ? 1 : 0;
    distance += std::abs(step);
  }
  EXPECT_NEAR(ascents / kSize, 0.5, 0.02);
  EXPECT_NEAR(distance / kSize / kSize, 1.0 / 3, 0.02);
}

TEST(Random, FractionsAreSpreadEvenly) {
  Random random(1);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double fraction = random.Fraction();
    ASSERT_TRUE(fraction >= 0 && fraction < 1);
    sum += fraction;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.01);
}

// The share of the most frequent of 1,000, by definition: 1 / i^0.99 over the sum of all.
TEST(Zipf, FrequenciesFollowTheLaw) {
  constexpr uint64_t kSize = 1000;
  constexpr int kDraws = 400'000;
  double sum = 0;
  for (uint64_t i = 1; i <= kSize; ++i) sum += std::pow(static_cast<double>(i), -0.99);
  Zipf zipf(kSize, 5);
  std::vector<double> counts(kSize);
  for (int i = 0; i < kDraws; ++i) counts[zipf.NextRank()] += 1;
  EXPECT_NEAR(counts[0] / kDraws, 1 / sum, 0.005);
  EXPECT_NEAR(counts[1] / kDraws, std::pow(2, -0.99) / sum, 0.005);
  const double tail = std::accumulate(counts.begin() + 100, counts.end(), 0.0) / kDraws;
  double expected = 0;
  for (uint64_t i = 101; i <= kSize; ++i) expected += std::pow(static_cast<double>(i), -0.99) / sum;
  EXPECT_NEAR(tail, expected, 0.01);
}

TEST(Zipf, FrequentOnesLieScattered) {
  constexpr uint64_t kSize = 1000;
  Zipf zipf(kSize, 5);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t number = zipf.Next();
    ASSERT_LT(number, kSize);
    sum += static_cast<double>(number);
  }
  EXPECT_GT(sum / 100'000, 250);
}

TEST(Zipf, OfOneOrTwoNumbersStaysInRange) {
  for (const uint64_t size : {1u, 2u}) {
    Zipf zipf(size, 1);
    for (int i = 0; i < 1000; ++i) ASSERT_LT(zipf.Next(), size);
  }
}

}  // namespace
}  // namespace kvfs::bench
