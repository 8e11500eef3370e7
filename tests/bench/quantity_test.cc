// Numbers as people read and write them.

#include "bench/quantity.h"

#include <gtest/gtest.h>

namespace kvfs::bench {
namespace {

TEST(Quantity, HasAUnitOrNone) {
  EXPECT_EQ(ParseQuantity("0"), 0u);
  EXPECT_EQ(ParseQuantity("1000"), 1000u);
  EXPECT_EQ(ParseQuantity("16k"), 16'000u);
  EXPECT_EQ(ParseQuantity("10M"), 10'000'000u);
  EXPECT_EQ(ParseQuantity("2Gi"), uint64_t{2} << 30);
}

TEST(Quantity, RefusesWhatIsNone) {
  for (const char* text :
       {"", "M", "-1", "1.5M", "1 M", "10m", "1MB", "99999999999999999999", "99999999999G"}) {
    EXPECT_FALSE(ParseQuantity(text)) << text;
  }
}

TEST(Quantity, IsShownInThreeDigits) {
  EXPECT_EQ(ThreeDigits(0.0514), "0.051");
  EXPECT_EQ(ThreeDigits(5.114), "5.11");
  EXPECT_EQ(ThreeDigits(51.14), "51.1");
  EXPECT_EQ(ThreeDigits(51140), "51140");
}

TEST(Quantity, RatiosAreShownAsTimes) {
  EXPECT_EQ(Ratio(0.853), "0.85x");
  EXPECT_EQ(Ratio(1.94), "1.9x");
  EXPECT_EQ(Ratio(14.2), "14x");
}

TEST(Quantity, ThousandsAreSeparated) {
  EXPECT_EQ(WithSeparators(0), "0");
  EXPECT_EQ(WithSeparators(999), "999");
  EXPECT_EQ(WithSeparators(1000), "1,000");
  EXPECT_EQ(WithSeparators(10'000'000), "10,000,000");
}

}  // namespace
}  // namespace kvfs::bench
