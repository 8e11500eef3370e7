// Chunks: encoded ones are decoded, and malformed bytes are refused.
#include "store/format/chunk.h"

#include <gtest/gtest.h>

#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

Chunk SomeChunk() {
  Chunk chunk;
  chunk.blocks[1] = {10, 0x1111};
  chunk.blocks[2] = {11 | BlockPointer::kUnwritten, 0};
  chunk.blocks[4] = {12, 0x2222};
  return chunk;
}

TEST(Chunk, IsReadBackWithItsHoles) {
  for (const size_t last : {4u, 31u}) {
    Chunk chunk = SomeChunk();
    chunk.blocks[last] = {77, 0x3333};
    const auto bytes = chunk.Encode();
    EXPECT_EQ(static_cast<size_t>(bytes[0]), last + 1) << "it ends with its last block";
    const auto decoded = Chunk::Decode(bytes);
    ASSERT_TRUE(decoded);
    for (size_t i = 0; i < kBlocksPerChunk; ++i) {
      EXPECT_EQ(decoded->blocks[i], chunk.blocks[i]) << i;
    }
  }
}

TEST(Chunk, OfHolesOnlyHasNoBytes) { EXPECT_TRUE(Chunk().Encode().empty()); }

TEST(Chunk, RefusesEveryTruncationAndWhatFollows) {
  auto bytes = SomeChunk().Encode();
  ForEachTruncation(bytes, [](Bytes cut) { EXPECT_FALSE(Chunk::Decode(cut)) << cut.size(); });
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(Chunk::Decode(bytes));
}

TEST(Chunk, RefusesImpossibleCounts) {
  auto bytes = SomeChunk().Encode();
  for (const int count : {0, 33, 255}) {
    bytes[0] = static_cast<std::byte>(count);
    EXPECT_FALSE(Chunk::Decode(bytes)) << count;
  }
}

TEST(Chunk, RefusesHolesAtItsEnd) {
  const std::byte bytes[] = {std::byte{1}, std::byte{0}};
  EXPECT_FALSE(Chunk::Decode(bytes));
}

TEST(Chunk, EveryBitFlipIsReadInBoundsOrRefused) {
  ForEachBitFlip(SomeChunk().Encode(), [](Bytes damaged, size_t) {
    const std::vector<std::byte> copy(damaged.begin(), damaged.end());
    static_cast<void>(Chunk::Decode(copy));
  });
}

}  // namespace
}  // namespace kvfs::format
