// Segment headers and records: encoded ones are decoded, and neither damage nor records of an
// earlier use of the file are accepted.
#include "store/format/log_segment.h"

#include <gtest/gtest.h>

#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

const StoreId kStore = {std::byte{1}, std::byte{2}, std::byte{3}};
const StoreId kOtherStore = {std::byte{1}, std::byte{2}, std::byte{4}};
const uint64_t kSeed = SegmentSeed(kStore, 5);

std::vector<std::byte> Record(std::string_view payload, uint64_t sequence, uint64_t seed) {
  std::vector<std::byte> record(kLogRecordHeaderBytes + payload.size());
  CopyBytes(record.data() + kLogRecordHeaderBytes, AsBytes(payload));
  SealLogRecord(&record, sequence, sequence - 3, seed);
  return record;
}

TEST(SegmentHeader, IsReadBack) {
  const auto bytes = SegmentHeader{5, 77}.Encode(kStore);
  const auto header = SegmentHeader::Decode(bytes, kStore);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->number, 5u);
  EXPECT_EQ(header->first_sequence, 77u);
}

TEST(SegmentHeader, RefusesEveryBitFlip) {
  ForEachBitFlip(SegmentHeader{5, 77}.Encode(kStore), [](Bytes damaged, size_t bit) {
    EXPECT_FALSE(SegmentHeader::Decode(damaged, kStore)) << "bit " << bit;
  });
}

TEST(SegmentHeader, RefusesEveryTruncation) {
  ForEachTruncation(SegmentHeader{5, 77}.Encode(kStore), [](Bytes cut) {
    EXPECT_FALSE(SegmentHeader::Decode(cut, kStore)) << cut.size() << " bytes";
  });
}

TEST(SegmentHeader, RefusesThatOfAnotherStore) {
  EXPECT_FALSE(SegmentHeader::Decode(SegmentHeader{5, 77}.Encode(kOtherStore), kStore));
}

TEST(LogRecord, IsReadBackWithWhatFollowsLeftAlone) {
  auto bytes = Record("payload", 9, kSeed);
  const size_t length = bytes.size();
  bytes.resize(length + 100, std::byte{0x5a});
  const auto record = DecodeLogRecord(bytes, 9, kSeed);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sequence, 9u);
  EXPECT_EQ(record->durable, 6u);
  EXPECT_EQ(AsText(record->payload), "payload");
  EXPECT_EQ(record->EncodedBytes(), length);
}

TEST(LogRecord, KnowsNothingDurableWhereThatIsTooLongAgo) {
  constexpr uint64_t kSequence = uint64_t{1} << 40;
  std::vector<std::byte> record(kLogRecordHeaderBytes + 1);
  SealLogRecord(&record, kSequence, 5, kSeed);
  EXPECT_EQ(DecodeLogRecord(record, kSequence, kSeed)->durable, 0u);
  SealLogRecord(&record, kSequence, kSequence - 0xfffffffe, kSeed);
  EXPECT_EQ(DecodeLogRecord(record, kSequence, kSeed)->durable, kSequence - 0xfffffffe);
}

TEST(LogRecord, RefusesEveryBitFlip) {
  ForEachBitFlip(Record("payload", 9, kSeed), [](Bytes damaged, size_t bit) {
    EXPECT_FALSE(DecodeLogRecord(damaged, 9, kSeed)) << "bit " << bit;
  });
}

TEST(LogRecord, RefusesEveryTruncation) {
  ForEachTruncation(Record("payload", 9, kSeed), [](Bytes cut) {
    EXPECT_FALSE(DecodeLogRecord(cut, 9, kSeed)) << cut.size() << " bytes";
  });
}

TEST(LogRecord, RefusesAnotherSequence) {
  EXPECT_FALSE(DecodeLogRecord(Record("payload", 9, kSeed), 8, kSeed));
  EXPECT_FALSE(DecodeLogRecord(Record("payload", 9, kSeed), 10, kSeed));
}

TEST(LogRecord, RefusesThatOfAnotherSegmentOrStore) {
  EXPECT_FALSE(DecodeLogRecord(Record("payload", 9, SegmentSeed(kStore, 4)), 9, kSeed));
  EXPECT_FALSE(DecodeLogRecord(Record("payload", 9, SegmentSeed(kOtherStore, 5)), 9, kSeed));
}

TEST(LogRecord, RefusesAnEmptyOneAndZeros) {
  EXPECT_FALSE(DecodeLogRecord(Record("", 9, kSeed), 9, kSeed));
  EXPECT_FALSE(DecodeLogRecord(std::vector<std::byte>(100), 0, kSeed));
}

TEST(LogRecord, IsFoundWhereverItLiesAmongZeros) {
  const auto record = Record("payload", 9, kSeed);
  for (size_t offset = 1; offset < 60; ++offset) {
    std::vector<std::byte> bytes(200);
    CopyBytes(bytes.data() + offset, record);
    size_t at = 0;
    while (at < offset) at += NextRecordOffset(Bytes(bytes).subspan(at));
    EXPECT_EQ(at, offset) << "passed over";
  }
}

TEST(LogRecord, ZerosAreNotTriedOneByOne) {
  const std::vector<std::byte> zeros(10'000);
  EXPECT_GT(NextRecordOffset(zeros), 9'900u);
  EXPECT_GE(NextRecordOffset(Bytes(zeros).first(10)), 1u);
}

TEST(LogRecord, RefusesALengthBeyondTheBytes) {
  auto record = Record("payload", 9, kSeed);
  for (uint32_t length : {8u, 1000u, 0x7fffffffu, 0xffffffffu}) {
    StoreLittle(record.data() + 8, length);
    EXPECT_FALSE(DecodeLogRecord(record, 9, kSeed)) << length;
  }
}

}  // namespace
}  // namespace kvfs::format
