// Changes: every kind is decoded field by field, and malformed payloads are refused.
#include "store/format/change.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

using Kind = Change::Kind;

Change OfKind(Kind kind) {
  Change change;
  change.kind = kind;
  change.directory = 0x0102030405060708;
  change.name = "name";
  return change;
}

std::vector<std::byte> Encoded(const std::vector<Change>& changes) {
  std::vector<std::byte> bytes;
  for (const Change& change : changes) change.AppendTo(&bytes);
  return bytes;
}

void ExpectSame(const Change& actual, const Change& expected) {
  EXPECT_EQ(actual.kind, expected.kind);
  EXPECT_EQ(actual.directory, expected.directory);
  EXPECT_EQ(actual.name, expected.name);
  EXPECT_EQ(actual.id, expected.id);
  EXPECT_EQ(actual.offset, expected.offset);
  EXPECT_EQ(actual.size, expected.size);
  EXPECT_EQ(actual.length, expected.length);
  EXPECT_EQ(actual.to_directory, expected.to_directory);
  EXPECT_EQ(actual.to_name, expected.to_name);
  EXPECT_EQ(actual.owner, expected.owner);
  EXPECT_EQ(actual.content, expected.content);
  EXPECT_EQ(actual.end, expected.end);
  EXPECT_EQ(actual.found, expected.found);
  EXPECT_EQ(actual.meta, expected.meta);
  EXPECT_EQ(actual.to_meta, expected.to_meta);
  if (actual.to_meta) return;
  EXPECT_EQ(AsText(actual.data), AsText(expected.data));
}

// One of each kind, with all its fields.
std::vector<Change> OneOfEach() {
  std::vector<Change> changes;
  for (uint8_t kind = 1; kind <= static_cast<uint8_t>(Kind::kTakeContent); ++kind) {
    changes.push_back(OfKind(static_cast<Kind>(kind)));
  }
  auto at = [&](Kind kind) -> Change& { return changes[static_cast<size_t>(kind) - 1]; };
  at(Kind::kPut).id = 77;
  at(Kind::kPut).meta = "meta";
  at(Kind::kPut).data = AsBytes("content");
  at(Kind::kPut).found = Change::Found::kAbsent;
  at(Kind::kErase).found = Change::Found::kWithoutBlocks;
  at(Kind::kMove).to_directory = 12;
  at(Kind::kMove).to_name = "other name";
  at(Kind::kMove).meta = "";
  at(Kind::kExchange).to_directory = 13;
  at(Kind::kExchange).to_name = "another name";
  at(Kind::kExchange).meta = "meta of one";
  at(Kind::kExchange).to_meta = "meta of the other";
  at(Kind::kMeta).meta = "more meta";
  at(Kind::kWrite).offset = uint64_t{1} << 40;
  at(Kind::kWrite).data = AsBytes("data");
  at(Kind::kWriteBlocks).offset = 8192;
  at(Kind::kWriteBlocks).owner = 99;
  at(Kind::kWriteBlocks).data = AsBytes("one block pointer of 16 bytes..!");
  at(Kind::kResize).size = ~uint64_t{0} >> 1;
  at(Kind::kPunch).offset = 5;
  at(Kind::kPunch).length = 6;
  at(Kind::kAllocate).offset = 7;
  at(Kind::kAllocate).length = ~uint64_t{0};
  at(Kind::kReclaim).content = 88;
  at(Kind::kReclaim).end = 1000;
  at(Kind::kTakeContent).to_directory = 14;
  at(Kind::kTakeContent).to_name = "giver";
  at(Kind::kTakeContent).meta = "m";
  return changes;
}

TEST(Change, OfEachKindIsReadBack) {
  const auto changes = OneOfEach();
  const auto bytes = Encoded(changes);
  const auto decoded = DecodeChanges(bytes);
  ASSERT_TRUE(decoded);
  ASSERT_EQ(decoded->size(), changes.size());
  for (size_t i = 0; i < changes.size(); ++i) ExpectSame((*decoded)[i], changes[i]);
}

TEST(Change, TakesTheBytesItSays) {
  for (const Change& change : OneOfEach()) {
    EXPECT_EQ(Encoded({change}).size(), change.EncodedBytes());
  }
}

TEST(Change, EmptyMetaIsToldApartFromNone) {
  Change none = OfKind(Kind::kMeta), empty = OfKind(Kind::kMeta);
  empty.meta = "";
  const auto bytes = Encoded({none, empty});
  const auto decoded = DecodeChanges(bytes).value();
  EXPECT_FALSE(decoded[0].meta);
  EXPECT_EQ(decoded[1].meta, "");
}

TEST(Change, TakesTheLongestNamesAndMeta) {
  const std::string longest(255, 'n');
  Change change = OfKind(Kind::kExchange);
  change.name = change.to_name = longest;
  change.meta = change.to_meta = longest;
  const auto bytes = Encoded({change});
  ExpectSame(DecodeChanges(bytes).value()[0], change);
}

TEST(Change, NamesItsBlocks) {
  std::byte pointers[2 * BlockPointer::kBytes];
  BlockPointer{3, 4}.Encode(pointers);
  BlockPointer{5, 6}.Encode(pointers + BlockPointer::kBytes);
  Change change = OfKind(Kind::kWriteBlocks);
  change.data = pointers;
  EXPECT_EQ(change.BlockCount(), 2u);
  EXPECT_EQ(change.Block(1).number, 5u);
  EXPECT_EQ(change.Block(1).checksum, 6u);
}

TEST(Change, RefusesEveryTruncation) {
  for (const Change& change : OneOfEach()) {
    ForEachTruncation(Encoded({change}), [](Bytes cut) {
      EXPECT_EQ(DecodeChanges(cut).has_value(), cut.empty()) << cut.size() << " bytes";
    });
  }
}

TEST(Change, RefusesUnknownKinds) {
  auto bytes = Encoded({OfKind(Kind::kErase)});
  for (uint8_t kind : {uint8_t{0}, uint8_t{12}, uint8_t{255}}) {
    StoreLittle(bytes.data(), kind);
    EXPECT_EQ(DecodeChanges(bytes).error().code, ErrorCode::kCorrupt);
  }
}

TEST(Change, RefusesUnknownFlags) {
  auto bytes = Encoded({OfKind(Kind::kErase)});
  for (uint8_t flags : {uint8_t{12}, uint8_t{16}, uint8_t{255}}) {
    StoreLittle(bytes.data() + 1, flags);
    EXPECT_EQ(DecodeChanges(bytes).error().code, ErrorCode::kCorrupt);
  }
}

// Under a correct checksum, arbitrary bytes may follow: they must not be read out of bounds.
TEST(Change, EveryBitFlipIsReadInBoundsOrRefused) {
  const auto whole = Encoded(OneOfEach());
  ForEachBitFlip(whole, [](Bytes damaged, size_t) {
    const std::vector<std::byte> copy(damaged.begin(), damaged.end());
    const auto decoded = DecodeChanges(copy);
    if (!decoded) return;
    size_t total = 0;
    for (const Change& change : *decoded) {
      total += kChangeHeaderBytes + change.name.size() + change.to_name.size() + change.data.size();
    }
    EXPECT_LE(total, copy.size());
  });
}

TEST(Change, NoiseIsReadInBoundsOrRefused) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> noise(random() % 200);
    for (std::byte& byte : noise) byte = static_cast<std::byte>(random() % 4 ? 0 : random() % 256);
    static_cast<void>(DecodeChanges(noise));
  }
}

}  // namespace
}  // namespace kvfs::format
