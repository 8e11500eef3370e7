// The ranges of a buffer that are not zero.
#include "fs/data_ranges.h"

#include <gtest/gtest.h>

#include <string>

namespace kvfs::fs {
namespace {

std::vector<ByteRange> RangesOf(const std::string& text) { return DataRangesOf(AsBytes(text)); }
std::string Zeros(size_t count) { return std::string(count, '\0'); }

TEST(DataRanges, OfNothingAndOfZerosThereAreNone) {
  EXPECT_TRUE(RangesOf("").empty());
  EXPECT_TRUE(RangesOf(Zeros(1)).empty());
  EXPECT_TRUE(RangesOf(Zeros(100'000)).empty());
}

TEST(DataRanges, WholeBlocksOfZerosAreLeftOut) {
  const std::string block(4096, 'x');
  EXPECT_EQ(RangesOf(block), (std::vector<ByteRange>{{0, 4096}}));
  EXPECT_EQ(RangesOf(block + Zeros(8192) + block + "y"),
            (std::vector<ByteRange>{{0, 4096}, {12'288, 4097}}));
  EXPECT_EQ(RangesOf(Zeros(4096) + block + Zeros(5)), (std::vector<ByteRange>{{4096, 4096}}));
}

TEST(DataRanges, OneByteMakesABlockData) {
  for (const size_t at : {0u, 1u, 2000u, 4095u}) {
    std::string text = Zeros(8192);
    text[at] = 'x';
    EXPECT_EQ(RangesOf(text), (std::vector<ByteRange>{{0, 4096}})) << at;
  }
}

}  // namespace
}  // namespace kvfs::fs
