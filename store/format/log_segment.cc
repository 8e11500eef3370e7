// Segment headers and records to bytes and back.
#include "store/format/log_segment.h"

#include <algorithm>

#include "store/format/checksum.h"

namespace kvfs::format {
namespace {

constexpr std::string_view kMagic = "KVFSLOG2", kOldMagic = "KVFSLOG1";
constexpr uint64_t kHeaderSeed = 0x4c4f47;  // "LOG"
constexpr size_t kSequenceAt = 16;          // in a record
constexpr size_t kFrontChecksumAt = 24;     // in a record of the new version
constexpr uint32_t kUndurableUnknown = ~uint32_t{0};

// Seeded differently from the record's checksum, so that neither passes for the other.
uint64_t FrontChecksum(const std::byte* record, uint64_t seed) {
  return Checksum({record + 8, kFrontChecksumAt - 8}, ~seed);
}

}  // namespace

std::array<std::byte, kSegmentHeaderBytes> SegmentHeader::Encode(const StoreId& store) const {
  std::array<std::byte, kSegmentHeaderBytes> out{};
  CopyBytes(out.data(), AsBytes(version == SegmentVersion::kOld ? kOldMagic : kMagic));
  CopyBytes(out.data() + 16, store);
  StoreLittle(out.data() + 32, number);
  StoreLittle(out.data() + 40, first_sequence);
  StoreLittle(out.data() + 8, Checksum(Bytes(out).subspan(16), kHeaderSeed));
  return out;
}

std::optional<SegmentHeader> SegmentHeader::Decode(Bytes bytes, const StoreId& store) {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  bytes = bytes.first(kSegmentHeaderBytes);
  const std::string_view magic = AsText(bytes.first(kMagic.size()));
  if (magic != kMagic && magic != kOldMagic) return std::nullopt;
  if (AsText(bytes.subspan(16, store.size())) != AsText(store)) return std::nullopt;
  if (LoadLittle<uint64_t>(bytes.data() + 8) != Checksum(bytes.subspan(16), kHeaderSeed)) {
    return std::nullopt;
  }
  return SegmentHeader{LoadLittle<uint64_t>(bytes.data() + 32),
                       LoadLittle<uint64_t>(bytes.data() + 40),
                       magic == kOldMagic ? SegmentVersion::kOld : SegmentVersion::kNew};
}

uint64_t SegmentSeed(const StoreId& store, uint64_t segment_number) {
  return Checksum(store, segment_number);
}

void SealLogRecord(std::vector<std::byte>* record, uint64_t sequence, uint64_t durable,
                   uint64_t seed, SegmentVersion version) {
  const auto undurable =
      static_cast<uint32_t>(std::min<uint64_t>(sequence - durable, kUndurableUnknown));
  std::byte* at = record->data();
  StoreLittle(at + 8, static_cast<uint32_t>(record->size() - LogRecordHeaderBytes(version)));
  StoreLittle(at + 12, undurable);
  StoreLittle(at + kSequenceAt, sequence);
  if (version == SegmentVersion::kNew) StoreLittle(at + kFrontChecksumAt, FrontChecksum(at, seed));
  StoreLittle(at, Checksum(Bytes(*record).subspan(8), seed));
}

std::optional<LogRecordFront> PeekFront(Bytes bytes, SegmentVersion version) {
  const uint32_t header = LogRecordHeaderBytes(version);
  if (bytes.size() <= header) return std::nullopt;
  const uint64_t payload_bytes = LoadLittle<uint32_t>(bytes.data() + 8);
  if (payload_bytes == 0 || payload_bytes > bytes.size() - header) return std::nullopt;
  const auto undurable = LoadLittle<uint32_t>(bytes.data() + 12);
  const auto sequence = LoadLittle<uint64_t>(bytes.data() + kSequenceAt);
  const bool is_known = undurable != kUndurableUnknown && undurable <= sequence;
  return LogRecordFront{sequence, is_known ? sequence - undurable : 0, payload_bytes};
}

bool IsProvenFront(Bytes bytes, uint64_t seed) {
  return bytes.size() >= kLogRecordHeaderBytes &&
         LoadLittle<uint64_t>(bytes.data() + kFrontChecksumAt) == FrontChecksum(bytes.data(), seed);
}

size_t NextRecordOffset(Bytes bytes) {
  const auto word_at = [&](size_t offset) { return LoadLittle<uint64_t>(bytes.data() + offset); };
  constexpr size_t kWord = sizeof(uint64_t);
  size_t at = 1;
  // Two words of zeros are zero sequences at all offsets between them.
  while (at + kSequenceAt + 2 * kWord <= bytes.size() && word_at(at + kSequenceAt) == 0 &&
         word_at(at + kSequenceAt + kWord) == 0) {
    at += kWord;
  }
  return at;
}

std::optional<LogRecord> DecodeLogRecord(Bytes bytes, uint64_t sequence, uint64_t seed,
                                         SegmentVersion version) {
  const auto front = PeekFront(bytes, version);
  if (!front || front->sequence != sequence) return std::nullopt;
  const uint32_t header = LogRecordHeaderBytes(version);
  const Bytes record = bytes.first(header + front->payload_bytes);
  if (LoadLittle<uint64_t>(record.data()) != Checksum(record.subspan(8), seed)) return std::nullopt;
  return LogRecord{sequence, front->durable, record.subspan(header), header};
}

}  // namespace kvfs::format
