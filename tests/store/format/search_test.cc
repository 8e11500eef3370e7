// Searches compared with std::lower_bound, on evenly distributed numbers, and on others.
#include "store/format/search.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace kvfs::format {
namespace {

using Numbers = std::vector<uint64_t>;

uint32_t Expected(const Numbers& numbers, uint64_t wanted) {
  return static_cast<uint32_t>(std::ranges::lower_bound(numbers, wanted) - numbers.begin());
}

void ExpectFound(const Numbers& numbers, uint64_t wanted) {
  const auto end = static_cast<uint32_t>(numbers.size());
  const uint32_t expected = Expected(numbers, wanted);
  const auto number_at = [&](uint32_t i) { return numbers.at(i); };
  const uint64_t first = numbers.empty() ? 0 : numbers.front();
  const uint64_t last = numbers.empty() ? 0 : numbers.back();
  EXPECT_EQ(FirstNotBelow(0, end, first, last, wanted, number_at), expected) << wanted;
  for (uint32_t guess : {0u, expected, end / 2, end, ~0u}) {
    const auto is_it = [&](uint32_t i) { return numbers.at(i) >= wanted; };
    EXPECT_EQ(FirstFrom(0, end, guess, is_it), expected) << wanted << " from " << guess;
  }
}

void ExpectAllFound(const Numbers& numbers) {
  ExpectFound(numbers, 0);
  ExpectFound(numbers, ~uint64_t{0} >> 1);
  for (const uint64_t number : numbers) {
    ExpectFound(numbers, number);
    ExpectFound(numbers, number + 1);
    if (number > 0) ExpectFound(numbers, number - 1);
  }
}

TEST(Search, FindsInEveryLength) {
  std::mt19937_64 random(1);
  for (size_t length = 0; length < 70; ++length) {
    Numbers even, clustered, powers;
    for (size_t i = 0; i < length; ++i) {
      even.push_back(random() >> 1);
      clustered.push_back((random() % 3 << 50) + random() % 40);
      powers.push_back(uint64_t{1} << std::min<size_t>(i, 62));
    }
    std::ranges::sort(even);
    std::ranges::sort(clustered);
    for (const Numbers& numbers : {even, clustered, powers, Numbers(length, 7)}) {
      SCOPED_TRACE(length);
      ExpectAllFound(numbers);
    }
  }
}

TEST(Search, StaysInItsRange) {
  const Numbers numbers = {1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 30, 31};
  const auto number_at = [&](uint32_t i) {
    EXPECT_GE(i, 3u);
    EXPECT_LT(i, 14u);
    return numbers.at(i);
  };
  for (uint64_t wanted = 0; wanted < 40; ++wanted) {
    const uint32_t expected = std::clamp(Expected(numbers, wanted), 3u, 14u);
    EXPECT_EQ(FirstNotBelow<uint64_t>(3, 14, 0, 100, wanted, number_at), expected);
  }
}

// `first` and `last` may be wrong, since they come from a page.
TEST(Search, FindsWithWrongEnds) {
  Numbers numbers;
  for (uint64_t i = 0; i < 100; ++i) numbers.push_back(i * i);
  const auto number_at = [&](uint32_t i) { return numbers.at(i); };
  for (const auto& [first, last] : {std::pair<uint64_t, uint64_t>{0, 0},
                                    {5000, 5000},
                                    {~0ull >> 1, 0},
                                    {0, ~0ull >> 1},
                                    {~0ull, ~0ull}}) {
    for (uint64_t wanted = 0; wanted < 11000; wanted += 3) {
      EXPECT_EQ(FirstNotBelow(0u, 100u, first, last, wanted, number_at), Expected(numbers, wanted));
    }
  }
}

}  // namespace
}  // namespace kvfs::format
