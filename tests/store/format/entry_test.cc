// Entries and chunks: what was written is read back, and bytes that cannot be either are refused.
#include "store/format/entry.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

constexpr uint32_t kLimit = 100;

std::vector<std::byte> Encoded(const Entry& entry, uint32_t limit = kLimit) {
  std::vector<std::byte> bytes(3, std::byte{0xff});  // what was there before
  entry.Encode(limit, &bytes);
  return bytes;
}

Entry Inline(std::string_view content, std::string_view meta = "meta") {
  return {17, content.size(), meta, AsBytes(content), 0};
}

Entry WithBlocks() { return {18, 1'000'000, "meta", {}, 245}; }

void ExpectReadBack(const Entry& entry) {
  const auto bytes = Encoded(entry);
  const auto decoded = Entry::Decode(bytes, kLimit);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->id, entry.id);
  EXPECT_EQ(decoded->size, entry.size);
  EXPECT_EQ(decoded->meta, entry.meta);
  EXPECT_EQ(AsText(decoded->content), AsText(entry.content));
  EXPECT_EQ(decoded->blocks, entry.blocks);
}

TEST(Entry, IsReadBack) {
  ExpectReadBack(Inline("content"));
  ExpectReadBack(Inline(""));
  ExpectReadBack(Inline("content", ""));
  ExpectReadBack(Inline(std::string(kLimit, 'c'), std::string(255, 'm')));
  ExpectReadBack(WithBlocks());
}

TEST(Entry, LiesInlineUpToTheLimit) {
  const std::string content(kLimit, 'c');
  Entry entry = Inline(content, "");
  EXPECT_EQ(Encoded(entry).size(), kEntryHeaderBytes + kLimit);
  entry.size = kLimit + 1;
  EXPECT_EQ(Encoded(entry).size(), kEntryHeaderBytes + kBlockCountBytes);
}

TEST(Entry, RefusesEveryTruncation) {
  for (const Entry& entry : {Inline("content"), WithBlocks()}) {
    ForEachTruncation(Encoded(entry), [](Bytes cut) {
      EXPECT_FALSE(Entry::Decode(cut, kLimit)) << cut.size() << " bytes";
    });
  }
}

TEST(Entry, RefusesImpossibleIdsAndSizes) {
  for (uint64_t id : {uint64_t{0}, uint64_t{15}, kMaxId + 1, ~uint64_t{0}}) {
    Entry entry = WithBlocks();
    entry.id = id;
    EXPECT_FALSE(Entry::Decode(Encoded(entry), kLimit)) << id;
  }
  Entry entry = WithBlocks();
  entry.size = uint64_t{1} << 63;
  EXPECT_FALSE(Entry::Decode(Encoded(entry), kLimit));
}

TEST(Entry, RefusesBytesLeftOver) {
  for (const Entry& entry : {Inline("content"), WithBlocks()}) {
    auto bytes = Encoded(entry);
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(Entry::Decode(bytes, kLimit));
  }
}

TEST(Entry, EveryBitFlipIsReadInBoundsOrRefused) {
  for (const Entry& entry : {Inline("content"), WithBlocks()}) {
    ForEachBitFlip(Encoded(entry), [](Bytes damaged, size_t) {
      const std::vector<std::byte> copy(damaged.begin(), damaged.end());
      auto decoded = Entry::Decode(copy, kLimit);
      if (!decoded) return;
      EXPECT_LE(decoded->meta.size() + decoded->content.size(), copy.size());
    });
  }
}

TEST(Entry, TheLongestFitsTwiceIntoAPage) {
  for (uint32_t page = kMinPageBytes; page <= kMaxPageBytes; page *= 2) {
    const uint32_t limit = InlineLimitBytes(page);
    EXPECT_GE(limit, page / 8);
    EXPECT_LE(RecordBytes(255, kEntryHeaderBytes + 255 + limit), MaxRecordBytes(page));
    EXPECT_LE(RecordBytes(0, kBlocksPerChunk * BlockPointer::kBytes), MaxRecordBytes(page));
  }
}

TEST(Chunk, IsReadBackWithItsHoles) {
  Chunk chunk;
  chunk.blocks[1] = {10, 0x1111};
  chunk.blocks[4] = {11, 0x2222};
  const auto bytes = chunk.Encode();
  EXPECT_EQ(bytes.size(), 5 * BlockPointer::kBytes) << "it ends with its last block";
  const Chunk decoded = Chunk::Decode(bytes).value();
  for (size_t i = 0; i < kBlocksPerChunk; ++i) {
    EXPECT_EQ(decoded.blocks[i].number, chunk.blocks[i].number);
    EXPECT_EQ(decoded.blocks[i].checksum, chunk.blocks[i].checksum);
  }
}

TEST(Chunk, AllHolesTakesNoBytes) {
  EXPECT_TRUE(Chunk().IsHole());
  EXPECT_TRUE(Chunk().Encode().empty());
  Chunk chunk;
  chunk.blocks[31] = {1, 1};
  EXPECT_FALSE(chunk.IsHole());
  EXPECT_EQ(chunk.Encode().size(), kBlocksPerChunk * BlockPointer::kBytes);
}

TEST(Chunk, RefusesImpossibleLengths) {
  const std::vector<std::byte> bytes((kBlocksPerChunk + 1) * BlockPointer::kBytes);
  for (size_t length = 0; length <= bytes.size(); ++length) {
    const bool possible =
        length % BlockPointer::kBytes == 0 && length <= kBlocksPerChunk * BlockPointer::kBytes;
    EXPECT_EQ(Chunk::Decode(Bytes(bytes).first(length)).has_value(), possible) << length;
  }
}

}  // namespace
}  // namespace kvfs::format
