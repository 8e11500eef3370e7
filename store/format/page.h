// The common part of the pages of a shard's tree: a header by which they are verified. Pure: no
// I/O.
//
//   0   checksum    u64  of the bytes from 8 to the page's end, seeded with the shard's identity
//   8   number      u64  where the page lies in its file
//   16  epoch       u64  in which it was born
//   24  kind        u16  "KL" leaf (leaf.h), "KB" branch (branch.h)
//   26  count       u16  records, at least 1
//   28  end         u16  where the last record ends; zeros follow
//   30  shift       u8   leaf: see there
//   31  flags       u8   leaf: see there
//   32  base        u64  leaf: see there
//   40  groups      u16  leaf: see there
//   42  zero        u16
//   44  last        u32  leaf: see there
//
// A page is built once, from records in order, and never changed.
#pragma once

#include <cstdint>

#include <kvfs/bytes.h>
#include <kvfs/status.h>
#include "store/format/name_hash.h"
#include "store/format/pointer.h"
#include "store/format/record_key.h"

namespace kvfs::format {

inline constexpr uint32_t kMinPageBytes = 4096;
inline constexpr uint32_t kMaxPageBytes = 32768;
inline constexpr uint32_t kPageHeaderBytes = 48;

enum class PageKind : uint16_t { kLeaf = 0x4c4b, kBranch = 0x424b };

// Bytes available for records.
constexpr uint32_t PageCapacityBytes(uint32_t page_bytes) { return page_bytes - kPageHeaderBytes; }

// Size of the largest record: two of them always fit, so that pages can be filled well.
constexpr uint32_t MaxRecordBytes(uint32_t page_bytes) { return PageCapacityBytes(page_bytes) / 2; }

// A page of either kind that CheckPage has accepted. Borrows the bytes. If they change (a mapped
// page that the disk fails to deliver shows zeros), its results are wrong, but it never reads
// beyond the page.
class PageView {
 public:
  PageView() = default;
  PageView(const std::byte* bytes, uint32_t page_bytes) : bytes_(bytes), page_bytes_(page_bytes) {}

  const std::byte* bytes() const { return bytes_; }
  uint32_t page_bytes() const { return page_bytes_; }
  PagePointer self() const { return PagePointer::Decode(bytes_ + 8); }
  bool IsLeaf() const {
    return LoadLittle<uint16_t>(bytes_ + 24) == static_cast<uint16_t>(PageKind::kLeaf);
  }
  uint32_t count() const { return LoadLittle<uint16_t>(bytes_ + 26); }
  // Where the last record ends.
  uint32_t end() const { return LoadLittle<uint16_t>(bytes_ + 28); }

 protected:
  const std::byte* bytes_ = nullptr;
  uint32_t page_bytes_ = 0;
};

// Fills in the header of a page that already holds its records and is otherwise zeros, except the
// fields that only a leaf has.
void SetPageHeader(MutableBytes page, PageKind kind, PagePointer self, size_t count, size_t end);
// Writes the checksum into an otherwise complete page.
void SealPage(MutableBytes page, uint64_t seed);

// kCorrupt, with the reason, unless the bytes are the whole page that `self` names, and its records
// lie within it. CheckOrder also checks that the keys are in order, with correct hashes, which
// takes longer: a page with a valid checksum passes unless it was crafted.
Result<void> CheckPage(Bytes page, uint64_t seed, PagePointer self);
Result<void> CheckOrder(PageView page, const NameHash& hash);

}  // namespace kvfs::format
