// The offsets of the checksums are those of docs/format.md.
#include "tests/fuzz/reseal.h"

#include "store/format/checksum.h"

namespace kvfs::fuzz {

using format::Checksum;

void ResealIdentity(MutableBytes identity) {
  constexpr uint64_t kSeed = 0x4944;
  if (identity.size() < format::kIdentityBytes) return;
  const Bytes covered = identity.subspan(16, format::kIdentityBytes - 16);
  StoreLittle(identity.data() + 8, Checksum(covered, kSeed));
}

void ResealSlot(MutableBytes slot, const format::StoreId& store, uint32_t shards) {
  const size_t bytes = format::kSlotHeaderBytes + size_t{shards} * format::kSlotShardBytes;
  if (slot.size() < bytes) return;
  const auto epoch = LoadLittle<uint64_t>(slot.data() + 16);
  StoreLittle(slot.data() + 8, Checksum(slot.subspan(16, bytes - 16), Checksum(store, epoch)));
}

void ResealSegment(MutableBytes segment, const format::StoreId& store) {
  constexpr uint64_t kSeed = 0x4c4f47;
  if (segment.size() < format::kSegmentHeaderBytes) return;
  const Bytes covered = segment.subspan(16, format::kSegmentHeaderBytes - 16);
  StoreLittle(segment.data() + 8, Checksum(covered, kSeed));
  const auto number = LoadLittle<uint64_t>(segment.data() + 32);
  MutableBytes rest = segment.subspan(format::kSegmentHeaderBytes);
  while (rest.size() > format::kLogRecordHeaderBytes) {
    const uint64_t payload = LoadLittle<uint32_t>(rest.data() + 8);
    if (payload > rest.size() - format::kLogRecordHeaderBytes) return;
    const size_t bytes = format::kLogRecordHeaderBytes + payload;
    const uint64_t seed = Checksum(store, number);
    StoreLittle(rest.data() + 24, Checksum(rest.subspan(8, 16), ~seed));
    StoreLittle(rest.data(), Checksum(rest.subspan(8, bytes - 8), seed));
    rest = rest.subspan(bytes);
  }
}

}  // namespace kvfs::fuzz
