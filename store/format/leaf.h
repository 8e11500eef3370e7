// A leaf of a shard's tree: sorted records, found by a binary search that starts at a good guess.
// Pure.
//
//   48  groups   10 bytes each: directory u64, index of its first record u16. Ascending by
//   directory.
//       slots    6 bytes each, in the order of the keys: fingerprint u32, offset of the record u16
//       records, one behind the other in the same order:
//                name length u8 | name | version varint | value          of an entry
//                0 u8 | position varint | version varint | value         numbered
//
// The fingerprint is (position - base) >> shift, where base is the lowest position in the page and
// shift the least that makes all fingerprints fit. Fingerprints ascend within a group and are
// spread evenly, since positions are hashes: so a record's slot can be predicted from its position
// to within a few slots. `last` is the highest fingerprint.
//
// A record ends where the next begins. The version is the sequence of the change that made it.
//
// An *incomplete* leaf (flag 1) has replaced a damaged page, whose records are lost: a key that is
// not found here is not known to be absent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "store/format/name_hash.h"
#include "store/format/page.h"
#include "store/format/varint.h"

namespace kvfs::format {

inline constexpr uint32_t kLeafGroupBytes = 10;
inline constexpr uint32_t kLeafSlotBytes = 6;
inline constexpr uint8_t kIncompleteLeaf = 1;

struct LeafRecord {
  RecordKey key;
  uint64_t version = 0;
  Bytes value;
};

class LeafView : public PageView {
 public:
  LeafView(PageView page, const NameHash& hash) : PageView(page), hash_(&hash) {}
  LeafView(PageView page, const NameHash&& hash) = delete;  // it would dangle

  bool IsIncomplete() const { return (static_cast<uint8_t>(bytes_[31]) & kIncompleteLeaf) != 0; }

  LeafRecord Record(uint32_t index) const { return Decode(index, DirectoryOf(index)); }
  // The first record whose key is not below `key`; count() if there is none.
  uint32_t LowerBound(const RecordKey& key) const;
  // The record with exactly this key.
  std::optional<LeafRecord> Find(const RecordKey& key) const;

  Result<void> CheckOrder() const;
  // For a page that CheckPage has refused: the keys of the records whose names match the
  // fingerprints in their slots. These were in the page, whatever else is damaged.
  std::vector<RecordKey> KeysThatFit() const;

 private:
  struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
  };

  uint32_t groups() const { return LoadLittle<uint16_t>(bytes_ + 40); }
  uint64_t GroupDirectory(uint32_t group) const {
    return LoadLittle<uint64_t>(bytes_ + kPageHeaderBytes + kLeafGroupBytes * group);
  }
  uint32_t GroupBegin(uint32_t group) const;
  uint64_t DirectoryOf(uint32_t index) const;
  // The range of the directory's records; an empty one, where they would be, if there are none.
  Range RangeOf(uint64_t directory) const;

  const std::byte* Slot(uint32_t index) const {
    return bytes_ + kPageHeaderBytes + kLeafGroupBytes * groups() + kLeafSlotBytes * index;
  }
  uint32_t Fingerprint(uint32_t index) const { return LoadLittle<uint32_t>(Slot(index)); }
  // Offset of the record; the page's end if the stored offset is outside the page.
  uint32_t OffsetOf(uint32_t index) const;
  // The first slot in the range whose fingerprint is not below `fingerprint`.
  uint32_t FirstSlot(Range range, uint32_t fingerprint) const;
  // The fingerprint of a position. False if the position is below or above all of the page's; the
  // fingerprint is then the lowest or highest.
  bool FingerprintOf(uint64_t position, uint32_t* fingerprint) const;
  LeafRecord Decode(uint32_t index, uint64_t directory) const;
  bool IsNamed(uint32_t index, std::string_view name) const;

  const NameHash* hash_;
  friend Result<void> CheckLeaf(PageView page);
};

// Bytes of a record in a leaf, including its slot, but not the group that it may begin.
inline uint32_t LeafRecordBytes(const LeafRecord& record) {
  const size_t number = record.key.name.empty() ? VarintBytes(record.key.position) : 0;
  return static_cast<uint32_t>(kLeafSlotBytes + 1 + record.key.name.size() + number +
                               VarintBytes(record.version) + record.value.size());
}

// The same, including the group.
inline uint32_t MostLeafRecordBytes(const LeafRecord& record) {
  return LeafRecordBytes(record) + kLeafGroupBytes;
}

// Builds a sealed page of the records, which must fit: their LeafRecordBytes, plus kLeafGroupBytes
// for each directory, are at most PageCapacityBytes.
void EncodeLeaf(std::span<const LeafRecord> records, uint8_t flags, PagePointer self, uint64_t seed,
                MutableBytes page);

// The part of CheckPage that concerns leaves.
Result<void> CheckLeaf(PageView page);

}  // namespace kvfs::format
