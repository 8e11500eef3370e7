// Proofs in records are found whatever surrounds them, in time linear in the segment's size.
#include "store/format/log_proof.h"

#include <gtest/gtest.h>

namespace kvfs::format {
namespace {

const StoreId kStore = {std::byte{1}, std::byte{2}, std::byte{3}};
constexpr uint64_t kSegmentBytes = 1 << 20;

class LogProofTest : public testing::TestWithParam<SegmentVersion> {
 protected:
  LogProofTest() : header_{5, 1000, GetParam()} { Fill(std::byte{0}); }

  void Fill(std::byte byte) { segment_.assign(kSegmentBytes, byte); }
  // A table of counters, each of which could be a sequence, a length, or both.
  void FillWithCounters(uint32_t value) {
    for (size_t at = 0; at + 8 <= segment_.size(); at += 8) {
      StoreLittle(segment_.data() + at, uint64_t{value});
      StoreLittle(segment_.data() + at, value);
    }
  }
  // Returns the offset after it.
  size_t Place(size_t at, uint64_t sequence, uint64_t durable, size_t payload = 100) {
    const uint32_t front = LogRecordHeaderBytes(GetParam());
    std::vector<std::byte> record(front + payload, std::byte{'p'});
    SealLogRecord(&record, sequence, durable, SegmentSeed(kStore, header_.number), GetParam());
    CopyBytes(segment_.data() + at, record);
    return at + record.size();
  }
  LogProof Prove(uint64_t end = ~uint64_t{0}) {
    return ProveByRecords(segment_, header_, end, kStore);
  }

  const SegmentHeader header_;
  std::vector<std::byte> segment_;
};

TEST_P(LogProofTest, NothingProvesNothing) {
  EXPECT_EQ(Prove().durable, 0u);
  EXPECT_EQ(Prove().first_sequence, 0u);
  FillWithCounters(1500);
  EXPECT_EQ(Prove().durable, 0u);
}

TEST_P(LogProofTest, RecordsAreFoundAtAnyOffset) {
  for (const size_t at : {64, 65, 1001, 70'003, 1'000'000}) {
    Fill(std::byte{0});
    Place(Place(at, 1200, 1100), 1201, 1150);
    const LogProof proof = Prove();
    EXPECT_EQ(proof.durable, 1150u) << at;
    EXPECT_EQ(proof.first_sequence, 1200u);
    EXPECT_EQ(proof.first_offset, at);
  }
}

TEST_P(LogProofTest, TheWorkGrowsWithTheSegmentOnly) {
  for (const uint32_t value : {1001u, 1500u, 4000u, 16'000u}) {
    FillWithCounters(value);
    Place(Place(900'001, 1200, 1100), 1201, 1150);
    const LogProof proof = Prove();
    EXPECT_EQ(proof.durable, 1150u) << value;
    EXPECT_LE(proof.bytes_hashed, 300 * kSegmentBytes) << value;
    if (GetParam() == SegmentVersion::kNew) {
      EXPECT_LE(proof.bytes_hashed, 40 * kSegmentBytes / 8);
    }
  }
}

TEST_P(LogProofTest, OnlyRecordsOfThisSegmentAndRangeCount) {
  Place(Place(100, 1200, 1100), 1201, 1150);
  EXPECT_EQ(Prove(1200).durable, 0u);
  EXPECT_EQ(Prove(1201).durable, 1100u);
  EXPECT_EQ(ProveByRecords(segment_, {6, 1000, GetParam()}, ~uint64_t{0}, kStore).durable, 0u);
  EXPECT_EQ(ProveByRecords(segment_, {5, 1300, GetParam()}, ~uint64_t{0}, kStore).durable, 0u);
}

TEST_P(LogProofTest, ShortFilesAreNoHarm) {
  Place(64, 1000, 990);
  for (size_t bytes = 0; bytes < 300; ++bytes) {
    const LogProof proof =
        ProveByRecords(Bytes(segment_).first(bytes), header_, ~uint64_t{0}, kStore);
    EXPECT_EQ(proof.durable, bytes < 64 + LogRecordHeaderBytes(GetParam()) + 100 ? 0u : 990u);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, LogProofTest,
                         testing::Values(SegmentVersion::kOld, SegmentVersion::kNew),
                         [](const auto& version) {
                           return version.param == SegmentVersion::kOld ? "Old" : "New";
                         });

// An intact front suffices.
TEST(LogProof, ARecordWithADamagedPayloadStillProves) {
  std::vector<std::byte> segment(10'000);
  std::vector<std::byte> record(kLogRecordHeaderBytes + 100);
  SealLogRecord(&record, 20, 15, SegmentSeed(kStore, 5));
  record.back() ^= std::byte{1};
  CopyBytes(segment.data() + 500, record);
  EXPECT_EQ(ProveByRecords(segment, {5, 1}, 100, kStore).durable, 15u);
}

}  // namespace
}  // namespace kvfs::format
