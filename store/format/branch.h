// A branch of a shard's tree: keys and the pages below them. Pure.
//
//   48  items     36 bytes each, ascending by key:
//                   0 directory u64 | 8 position u64 | 16 child: page pointer | 32 count u16
//                   | 34 offset of the key's name u16, 0 if it has none
//       then the names: length u8, bytes
//
// Child i holds the keys from key i up to key i + 1; keys below key 0 belong to child 0 too. A key
// has a name only where the records of one position span several pages. The count is the number of
// the child's records: with it a reader can prefetch the part of the child that it will probably
// need. Nothing else depends on it.
#pragma once

#include <cstdint>
#include <span>

#include "store/format/page.h"

namespace kvfs::format {

inline constexpr uint32_t kBranchItemBytes = 36;

struct BranchRecord {
  RecordKey key;
  PagePointer child;
  uint32_t count = 0;  // records of the child
};

class BranchView : public PageView {
 public:
  explicit BranchView(PageView page) : PageView(page) {}

  RecordKey Key(uint32_t index) const;
  uint64_t Directory(uint32_t index) const { return LoadLittle<uint64_t>(Item(index)); }
  uint64_t Position(uint32_t index) const { return LoadLittle<uint64_t>(Item(index) + 8); }
  PagePointer Child(uint32_t index) const { return PagePointer::Decode(Item(index) + 16); }
  uint32_t Count(uint32_t index) const { return LoadLittle<uint16_t>(Item(index) + 32); }
  // The index of the child that `key` belongs to.
  uint32_t ChildIndex(const RecordKey& key) const;

  Result<void> CheckOrder() const;

 private:
  const std::byte* Item(uint32_t index) const {
    return bytes_ + kPageHeaderBytes + kBranchItemBytes * index;
  }
  std::string_view Name(uint32_t index) const;
  bool IsAtMost(uint32_t index, const RecordKey& key) const;
  friend Result<void> CheckBranch(PageView page);
};

// Bytes of a record in a branch.
inline uint32_t BranchRecordBytes(const BranchRecord& record) {
  const auto name_bytes = static_cast<uint32_t>(record.key.name.size());
  return kBranchItemBytes + (name_bytes > 0 ? 1 + name_bytes : 0);
}

// Builds a sealed page of the records, which must fit: the sum of their BranchRecordBytes is at
// most PageCapacityBytes.
void EncodeBranch(std::span<const BranchRecord> records, PagePointer self, uint64_t seed,
                  MutableBytes page);

// The part of CheckPage that concerns branches.
Result<void> CheckBranch(PageView page);

}  // namespace kvfs::format
