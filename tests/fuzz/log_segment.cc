// A log segment: its header, then its records; unmodified, and under correct checksums.
#include "store/format/log_segment.h"

#include "tests/fuzz/reseal.h"
#include "tests/fuzz/target.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::fuzz {
namespace {

using format::kLogRecordHeaderBytes;
using format::kSegmentHeaderBytes;
using format::SegmentHeader;

format::StoreId TheStore() {
  format::StoreId store;
  for (size_t i = 0; i < store.size(); ++i) store[i] = static_cast<std::byte>(i);
  return store;
}

void Replay(Bytes segment, const SegmentHeader& header) {
  const uint64_t seed = format::SegmentSeed(TheStore(), header.number);
  Bytes rest = segment.subspan(kSegmentHeaderBytes);
  for (uint64_t next = header.first_sequence;; ++next) {
    const auto front = format::PeekFront(rest, header.version);
    const auto record = format::DecodeLogRecord(rest, next, seed, header.version);
    if (!record) return;
    Require(front && front->sequence == next, "a record has the sequence that was looked for");
    Require(record->durable <= next, "a record proves nothing of later ones");
    Require(record->EncodedBytes() <= rest.size(), "a record lies inside its segment");
    Require(!record->payload.empty(), "a record has a payload");
    rest = rest.subspan(record->EncodedBytes());
  }
}

void Run(Bytes input) {
  Input segment = Resized(input, input.size());
  if (const auto header = SegmentHeader::Decode(segment, TheStore())) Replay(segment, *header);
  ResealSegment(segment, TheStore());
  if (const auto header = SegmentHeader::Decode(segment, TheStore())) Replay(segment, *header);
}

std::vector<Input> Seeds() {
  const auto example = format::WorkedExample();
  Input segment = example.at("segment-header");
  const uint64_t number = SegmentHeader::Decode(segment, TheStore())->number;
  for (uint64_t sequence = 9; sequence < 14; ++sequence) {
    Input record(kLogRecordHeaderBytes + 10 * sequence, std::byte{1});
    format::SealLogRecord(&record, sequence, sequence - 2, format::SegmentSeed(TheStore(), number));
    segment.insert(segment.end(), record.begin(), record.end());
  }
  Input one = example.at("segment-header");
  const Input& record = example.at("log-record");
  one.insert(one.end(), record.begin(), record.end());
  return {segment, one, example.at("segment-header")};
}

}  // namespace

const Target kLogSegment = {"log_segment", Run, Seeds, 20'000};

}  // namespace kvfs::fuzz
