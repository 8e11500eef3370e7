// Block lists and the integers that they consist of: encoded lists are decoded, have the promised
// size, and malformed ones are refused.
#include "store/format/block_list.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

using Blocks = std::vector<BlockPointer>;

constexpr BlockPointer kHole{};
constexpr BlockPointer Unwritten(uint64_t number) { return {number | BlockPointer::kUnwritten, 0}; }

std::vector<std::byte> Encoded(const Blocks& blocks) {
  std::vector<std::byte> bytes;
  AppendBlockList(blocks, &bytes);
  return bytes;
}

void ExpectReadBack(const Blocks& blocks) {
  auto bytes = Encoded(blocks);
  const size_t length = bytes.size();
  bytes.push_back(std::byte{0x55});  // bytes after the list
  Blocks decoded(blocks.size());
  ASSERT_EQ(DecodeBlockList(bytes, decoded), length);
  EXPECT_EQ(decoded, blocks);
}

TEST(BlockList, IsReadBack) {
  ExpectReadBack({});
  ExpectReadBack({kHole, kHole});
  ExpectReadBack({{1, 2}, {2, 3}, {3, 4}});
  ExpectReadBack({{kMaxNumber - 1, ~0ull}, {1, 0}, kHole, {kMaxNumber - 1, 7}});
  ExpectReadBack({Unwritten(5), {6, 1}, kHole, Unwritten(7), Unwritten(kMaxNumber - 1)});
}

TEST(BlockList, OfAnyKindIsReadBack) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    Blocks blocks(random() % 40);
    for (BlockPointer& block : blocks) {
      const uint64_t number = 1 + random() % (random() % 2 ? 10 : kMaxNumber - 1);
      if (random() % 3) block = random() % 3 ? BlockPointer{number, random()} : Unwritten(number);
    }
    ExpectReadBack(blocks);
  }
}

TEST(BlockList, OfBlocksInARowTakesNineBytesEach) {
  Blocks blocks;
  for (uint64_t i = 0; i < 10; ++i) blocks.push_back({1000000 + i, i});
  EXPECT_EQ(Encoded(blocks).size(), Encoded({blocks[0]}).size() + 9 * (8 + 1));
}

TEST(BlockList, RefusesEveryTruncation) {
  const Blocks blocks = {{1, 2}, Unwritten(900), kHole, {kMaxNumber - 1, 3}};
  ForEachTruncation(Encoded(blocks), [](Bytes cut) {
    Blocks decoded(4);
    EXPECT_FALSE(DecodeBlockList(cut, decoded)) << cut.size() << " bytes";
  });
}

TEST(BlockList, RefusesNumbersThatNoBlockHas) {
  Blocks decoded(1);
  for (const uint64_t number : {uint64_t{0}, kMaxNumber, kMaxNumber + 5, ~uint64_t{0} >> 3}) {
    std::vector<std::byte> bytes(kMaxVarintBytes + 8);
    PutVarint(bytes.data(), 1 + (number << 2));
    EXPECT_FALSE(DecodeBlockList(bytes, decoded)) << number;
  }
}

TEST(BlockList, EveryBitFlipGivesPossibleBlocksOrNone) {
  ForEachBitFlip(Encoded({{1, 2}, Unwritten(900), kHole, {70000, 3}}), [](Bytes damaged, size_t) {
    Blocks decoded(4);
    if (!DecodeBlockList(damaged, decoded)) return;
    for (const BlockPointer& block : decoded) EXPECT_LT(block.Place(), kMaxNumber);
  });
}

TEST(Varint, IsReadBackInAsManyBytesAsItSays) {
  std::byte bytes[kMaxVarintBytes];
  for (int bits = 0; bits <= 64; ++bits) {
    for (const uint64_t value :
         {(bits == 64 ? 0 : uint64_t{1} << bits) - 1, bits == 64 ? 0 : uint64_t{1} << bits}) {
      const std::byte* end = PutVarint(bytes, value);
      EXPECT_EQ(end - bytes, static_cast<ptrdiff_t>(VarintBytes(value)));
      uint64_t read = ~value;
      EXPECT_EQ(GetVarint(bytes, end, &read), end);
      EXPECT_EQ(read, value);
      EXPECT_EQ(GetVarint(bytes, end - 1, &read), nullptr) << "it is cut off";
    }
  }
}

TEST(Varint, RefusesMoreThan64Bits) {
  std::byte bytes[kMaxVarintBytes + 1];
  uint64_t read;
  std::fill_n(bytes, sizeof bytes, std::byte{0xff});
  EXPECT_EQ(GetVarint(bytes, bytes + sizeof bytes, &read), nullptr);
  bytes[kMaxVarintBytes - 1] = std::byte{2};
  EXPECT_EQ(GetVarint(bytes, bytes + sizeof bytes, &read), nullptr);
  bytes[kMaxVarintBytes - 1] = std::byte{1};
  EXPECT_EQ(GetVarint(bytes, bytes + sizeof bytes, &read), bytes + kMaxVarintBytes);
  EXPECT_EQ(read, ~uint64_t{0});
}

}  // namespace
}  // namespace kvfs::format
