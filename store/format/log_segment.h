// A segment of the redo log: a header, then records back to back. Pure.
//
//   header:  0 magic "KVFSLOG2" | 8 checksum u64 of the bytes from 16 to 64 | 16 store id 16 bytes
//            | 32 segment number u64 | 40 sequence of its first record u64 | 48 zero
//   record:  0 checksum u64 of the bytes from 8 to the record's end | 8 payload length u32
//            | 12 undurable u32 | 16 sequence u64 | 24 front checksum u64 of the bytes from 8 to 24
//            | 32 payload: changes (change.h)
//
// `undurable` is the number of records, including this one, that were not known to be durable when
// this one was appended; 2^32 - 1 if unknown. So a record proves that earlier ones were durable: if
// one of those is unreadable, it is damaged, and not lost to a power failure. With the front
// checksum a record front can be recognised anywhere, whatever precedes it, and even if the payload
// after it is not whole (log_proof.h).
//
// A segment with the magic "KVFSLOG1" is of an older version: its records have no front checksum,
// and their payload begins at 24. Such segments are read, but not written.
//
// Segments are recycled, so stale bytes follow the newest record. Every checksum is seeded with the
// store's id and the segment's number, which is never reused: stale records of the file's earlier
// use do not pass for current ones.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <kvfs/bytes.h>

namespace kvfs::format {

inline constexpr uint32_t kSegmentHeaderBytes = 64;
inline constexpr uint32_t kLogRecordHeaderBytes = 32;
inline constexpr uint32_t kOldLogRecordHeaderBytes = 24;

enum class SegmentVersion { kOld = 1, kNew = 2 };
constexpr uint32_t LogRecordHeaderBytes(SegmentVersion version) {
  return version == SegmentVersion::kOld ? kOldLogRecordHeaderBytes : kLogRecordHeaderBytes;
}

using StoreId = std::array<std::byte, 16>;

struct SegmentHeader {
  uint64_t number = 0;
  uint64_t first_sequence = 0;
  SegmentVersion version = SegmentVersion::kNew;

  std::array<std::byte, kSegmentHeaderBytes> Encode(const StoreId& store) const;
  // Nothing if the bytes are not a segment header of this store.
  static std::optional<SegmentHeader> Decode(Bytes bytes, const StoreId& store);
};

uint64_t SegmentSeed(const StoreId& store, uint64_t segment_number);

struct LogRecord {
  uint64_t sequence = 0;
  uint64_t durable = 0;  // records up to this sequence were known to be durable
  Bytes payload;         // borrowed
  uint32_t header_bytes = kLogRecordHeaderBytes;

  size_t EncodedBytes() const { return header_bytes + payload.size(); }
};

// Fills in the header of a record whose payload follows LogRecordHeaderBytes free bytes. Records up
// to `durable` are known to be durable.
void SealLogRecord(std::vector<std::byte>* record, uint64_t sequence, uint64_t durable,
                   uint64_t seed, SegmentVersion version = SegmentVersion::kNew);

// The fields of a record's front, unverified.
struct LogRecordFront {
  uint64_t sequence = 0;
  uint64_t durable = 0;
  uint64_t payload_bytes = 0;
};
// Nothing if there are too few bytes for a record of the stated length, or the record is empty.
std::optional<LogRecordFront> PeekFront(Bytes bytes, SegmentVersion version);
// Whether the bytes begin with a front of this segment, in the new version. The payload may still
// be damaged.
bool IsProvenFront(Bytes bytes, uint64_t seed);

// The first offset after the front of `bytes` at which a record may begin. Skips zeros, of which a
// segment has many: no record has sequence 0.
size_t NextRecordOffset(Bytes bytes);

// The record at the front of `bytes`; nothing if it is missing, torn or does not have this
// sequence.
std::optional<LogRecord> DecodeLogRecord(Bytes bytes, uint64_t sequence, uint64_t seed,
                                         SegmentVersion version = SegmentVersion::kNew);

}  // namespace kvfs::format
