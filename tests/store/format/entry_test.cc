// Entries: encoded ones are decoded, and malformed bytes are refused.
#include "store/format/entry.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

constexpr uint32_t kLimit = 100;
constexpr uint64_t kBlock = kBlockBytes;

using Blocks = std::vector<BlockPointer>;

std::vector<std::byte> Encoded(const Entry& entry, uint32_t limit = kLimit) {
  std::vector<std::byte> bytes(3, std::byte{0xff});  // previous contents of the buffer
  entry.Encode(limit, &bytes);
  return bytes;
}

// An entry and the memory that it borrows.
struct OwnedEntry {
  std::string meta;
  std::string tail;
  std::vector<std::byte> direct;
  Entry entry;

  const Entry& get() {
    entry.meta = meta;
    entry.tail = AsBytes(tail);
    entry.direct = direct;
    return entry;
  }
};

OwnedEntry Inline(std::string content, std::string meta = "meta") {
  OwnedEntry owned{std::move(meta), std::move(content), {}, {}};
  owned.entry.id = 17;
  owned.entry.size = owned.tail.size();
  return owned;
}

OwnedEntry Direct(size_t tail_bytes = 5) {
  OwnedEntry owned{"meta", std::string(tail_bytes, 't'), {}, {}};
  AppendBlockList(Blocks{{9, 1}, {}, {10, 2}}, &owned.direct);
  owned.entry.id = 18;
  owned.entry.size = 3 * kBlock + tail_bytes;
  return owned;
}

OwnedEntry Chunked(size_t tail_bytes = 7) {
  OwnedEntry owned{"meta", std::string(tail_bytes, 't'), {}, {}};
  owned.entry.id = 19;
  owned.entry.size = 1000 * kBlock + tail_bytes;
  owned.entry.content = 300;
  owned.entry.allocated = 999;
  return owned;
}

std::vector<OwnedEntry> OneOfEach() { return {Inline("content"), Direct(), Chunked()}; }

void ExpectReadBack(OwnedEntry owned) {
  const Entry& entry = owned.get();
  const auto bytes = Encoded(entry);
  const auto decoded = Entry::Decode(bytes, kLimit);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->id, entry.id);
  EXPECT_EQ(decoded->size, entry.size);
  EXPECT_EQ(decoded->meta, entry.meta);
  EXPECT_EQ(AsText(decoded->tail), AsText(entry.tail));
  EXPECT_EQ(AsText(decoded->direct), AsText(entry.direct));
  EXPECT_EQ(decoded->content, entry.content);
  EXPECT_EQ(decoded->allocated, entry.allocated);
}

TEST(Entry, IsReadBack) {
  for (OwnedEntry& entry : OneOfEach()) ExpectReadBack(entry);
  ExpectReadBack(Inline(""));
  ExpectReadBack(Inline("", ""));
  ExpectReadBack(Inline(std::string(kLimit, 'c'), std::string(255, 'm')));
  ExpectReadBack(Direct(0));
  ExpectReadBack(Direct(kLimit));
  ExpectReadBack(Chunked(0));
  ExpectReadBack(Chunked(kLimit));
}

TEST(Entry, OfASmallValueTakesThreeBytesAndTheValue) {
  OwnedEntry owned = Inline("content", "");
  EXPECT_EQ(Encoded(owned.get()).size(), 1 + 1 + 7u) << "flags and a small id";
}

TEST(ContentShape, LeavesATailUpToTheLimit) {
  struct {
    uint64_t size;
    uint64_t blocks;
    uint32_t tail;
  } const cases[] = {{0, 0, 0},
                     {1, 0, 1},
                     {kLimit, 0, kLimit},
                     {kLimit + 1, 1, 0},
                     {kBlock, 1, 0},
                     {kBlock + kLimit, 1, kLimit},
                     {kBlock + kLimit + 1, 2, 0},
                     {8 * kBlock + 1, 8, 1},
                     {(uint64_t{1} << 62) + 3, uint64_t{1} << 50, 3}};
  for (const auto& c : cases) {
    const ContentShape shape = ContentShape::Of(c.size, kLimit);
    EXPECT_EQ(shape.blocks, c.blocks) << c.size;
    EXPECT_EQ(shape.tail, c.tail) << c.size;
    EXPECT_EQ(shape.IsDirect(), c.blocks <= kDirectBlocks) << c.size;
  }
}

TEST(Entry, RefusesEveryTruncation) {
  for (OwnedEntry& owned : OneOfEach()) {
    const bool is_inline = owned.entry.size < kBlock;
    const auto bytes = Encoded(owned.get());
    const size_t header = bytes.size() - owned.tail.size();
    ForEachTruncation(bytes, [&](Bytes cut) {
      // An inline content ends where the record ends: its size is not stored.
      const bool is_shorter_content = is_inline && cut.size() >= header;
      EXPECT_EQ(Entry::Decode(cut, kLimit).has_value(), is_shorter_content) << cut.size();
    });
  }
}

TEST(Entry, RefusesImpossibleNumbers) {
  for (uint64_t id : {uint64_t{0}, uint64_t{15}, kMaxId + 1, ~uint64_t{0}}) {
    OwnedEntry owned = Inline("content");
    owned.entry.id = id;
    EXPECT_FALSE(Entry::Decode(Encoded(owned.get()), kLimit)) << id;
    owned = Chunked();
    owned.entry.content = id;
    EXPECT_FALSE(Entry::Decode(Encoded(owned.get()), kLimit)) << id;
  }
  OwnedEntry owned = Chunked();
  owned.entry.allocated = 1001;
  EXPECT_FALSE(Entry::Decode(Encoded(owned.get()), kLimit)) << "more blocks than it has";
  owned = Chunked(0);
  owned.entry.size = uint64_t{1} << 63;
  EXPECT_FALSE(Entry::Decode(Encoded(owned.get()), kLimit));
}

TEST(Entry, RefusesBytesLeftOver) {
  for (OwnedEntry owned : {Inline(std::string(kLimit, 'c')), Direct(), Chunked()}) {
    auto bytes = Encoded(owned.get());
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(Entry::Decode(bytes, kLimit));
  }
}

TEST(Entry, RefusesAnotherInlineLimit) {
  OwnedEntry owned = Inline(std::string(kLimit, 'c'));
  EXPECT_FALSE(Entry::Decode(Encoded(owned.get()), kLimit - 1));
}

TEST(Entry, EveryBitFlipIsReadInBoundsOrRefused) {
  for (OwnedEntry& owned : OneOfEach()) {
    ForEachBitFlip(Encoded(owned.get()), [](Bytes damaged, size_t) {
      const std::vector<std::byte> copy(damaged.begin(), damaged.end());
      const auto decoded = Entry::Decode(copy, kLimit);
      if (!decoded) return;
      EXPECT_LE(decoded->meta.size() + decoded->tail.size() + decoded->direct.size(), copy.size());
    });
  }
}

TEST(Entry, InlineLimitIsAnEighthOfAPageAndNoWholeBlock) {
  for (uint32_t page = kMinPageBytes; page <= kMaxPageBytes; page *= 2) {
    EXPECT_EQ(InlineLimitBytes(page), std::min(page / 8, kBlockBytes - 1));
  }
}

}  // namespace
}  // namespace kvfs::format
