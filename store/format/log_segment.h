// A segment of the redo log: a header, then records back to back. Pure.
//
//   header:  0 magic "KVFSLOG2" | 8 checksum u64 of the bytes from 16 to 64 | 16 store id 16 bytes
//            | 32 segment number u64 | 40 sequence of its first record u64 | 48 zero
//   record:  0 checksum u64 of the bytes from 8 to the record's end | 8 payload length u32
//            | 12 undurable u32 | 16 sequence u64 | 24 front checksum u64 of the bytes from 8 to 24
//            | 32 payload: changes (change.h)
//
// `undurable` tells how many records, this one included, were not known to be durable when this one
// was appended; 2^32 - 1 if it is not known. So a record proves that others before it were durable:
// if one of those cannot be read, that is damage, and not a loss of power. The front checksum makes
// the front of a record known for one wherever it is met, whatever lies before it, and whether the
// payload behind it is whole or not (log_proof.h).
//
// A segment with the magic "KVFSLOG1" is of an older program: its records have no front checksum,
// and their payload begins at 24. Such segments are read, and not written.
//
// Segments are recycled, so old bytes follow the newest record. Every checksum is seeded with the
// store's id and the segment's number, which is never used twice: what an earlier life of the file
// left there can not pass for a record of this one.
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
  // Nothing if the bytes are no header of a segment of this store.
  static std::optional<SegmentHeader> Decode(Bytes bytes, const StoreId& store);
};

uint64_t SegmentSeed(const StoreId& store, uint64_t segment_number);

struct LogRecord {
  uint64_t sequence = 0;
  uint64_t durable = 0;  // records up to this one were known to be durable
  Bytes payload;         // borrowed
  uint32_t header_bytes = kLogRecordHeaderBytes;

  size_t EncodedBytes() const { return header_bytes + payload.size(); }
};

// Fills in the header of a record whose payload stands behind LogRecordHeaderBytes free bytes.
// Records up to `durable` are known to be durable.
void SealLogRecord(std::vector<std::byte>* record, uint64_t sequence, uint64_t durable,
                   uint64_t seed, SegmentVersion version = SegmentVersion::kNew);

// What the front of a record says, unproven.
struct LogRecordFront {
  uint64_t sequence = 0;
  uint64_t durable = 0;
  uint64_t payload_bytes = 0;
};
// Nothing if the bytes are too few for a record of that length, or it has none.
std::optional<LogRecordFront> PeekFront(Bytes bytes, SegmentVersion version);
// Whether the bytes begin with a front of this segment, of the new version. The payload may be
// damaged all the same.
bool IsProvenFront(Bytes bytes, uint64_t seed);

// Where, behind the front of `bytes`, a record can begin, and no other before it. Passes over
// zeros, of which a segment has many: no record has sequence 0.
size_t NextRecordOffset(Bytes bytes);

// The record at the front of `bytes`; nothing if it is missing, torn or not number `sequence`.
std::optional<LogRecord> DecodeLogRecord(Bytes bytes, uint64_t sequence, uint64_t seed,
                                         SegmentVersion version = SegmentVersion::kNew);

}  // namespace kvfs::format
