// A page of a shard's tree: records sorted by key, found by binary search. Pure: no I/O.
//
//   0   checksum    u64  of the bytes from 8 to the page's end, seeded with the shard's identity
//   8   number      u64  where the page lies in its file
//   16  epoch       u64  in which it was born
//   24  kind        u16  "KL" leaf, "KB" branch
//   26  count       u16  records
//   28  heap_begin  u16  lowest byte of any record
//   30  garbage     u16  bytes of the heap that belong to no record
//   32  slots       u16 each: offset of record 0, 1, … in key order
//       … free …
//   heap_begin: records, in any order, up to the page's end
//
//   record:  0 space u64 | 8 position u64 | 16 name length u8 | 17 value length u16 | name | value
//
// In a branch each value is a PagePointer, and the key of record i is a lower bound of the keys
// below it. That of record 0 is (0, 0, ""), as keys below all lower bounds belong there too.
//
// INVARIANT: keys ascend strictly.
// INVARIANT: every slot points to a whole record between heap_begin and the page's end.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "store/bytes.h"
#include "store/format/pointer.h"
#include "store/status.h"

namespace kvfs::format {

inline constexpr uint32_t kMinPageBytes = 4096;
inline constexpr uint32_t kMaxPageBytes = 32768;
inline constexpr uint32_t kPageHeaderBytes = 32;
inline constexpr uint32_t kSlotBytes = 2;
inline constexpr uint32_t kRecordHeaderBytes = 19;

enum class PageKind : uint16_t { kLeaf = 0x4c4b, kBranch = 0x424b };

// Orders all records of a shard: by space, then position, then name.
struct RecordKey {
  uint64_t space = 0;
  uint64_t position = 0;
  std::string_view name;

  std::strong_ordering operator<=>(const RecordKey& other) const {
    if (auto order = space <=> other.space; order != 0) return order;
    if (auto order = position <=> other.position; order != 0) return order;
    return name <=> other.name;
  }
  bool operator==(const RecordKey&) const = default;
};

// The bytes, slot included, that a record takes in a page.
constexpr uint32_t RecordBytes(size_t name_bytes, size_t value_bytes) {
  return static_cast<uint32_t>(kSlotBytes + kRecordHeaderBytes + name_bytes + value_bytes);
}

// The bytes that records and slots may take together.
constexpr uint32_t PageCapacityBytes(uint32_t page_bytes) { return page_bytes - kPageHeaderBytes; }

// The largest record (see RecordBytes) that a page takes: any two fit, so that a full page can
// always be split in two that both have room.
constexpr uint32_t MaxRecordBytes(uint32_t page_bytes) { return PageCapacityBytes(page_bytes) / 2; }

// Reads a page that CheckPage has accepted. Borrows the bytes.
class PageView {
 public:
  PageView() = default;
  PageView(const std::byte* bytes, uint32_t page_bytes) : bytes_(bytes), page_bytes_(page_bytes) {}

  const std::byte* bytes() const { return bytes_; }
  uint32_t page_bytes() const { return page_bytes_; }
  bool IsLeaf() const {
    return LoadLittle<uint16_t>(bytes_ + 24) == static_cast<uint16_t>(PageKind::kLeaf);
  }
  uint32_t count() const { return LoadLittle<uint16_t>(bytes_ + 26); }
  // Of records and slots.
  uint32_t UsedBytes() const;
  uint32_t FreeBytes() const { return PageCapacityBytes(page_bytes_) - UsedBytes(); }

  RecordKey Key(uint32_t index) const;
  Bytes Value(uint32_t index) const;
  PagePointer Child(uint32_t index) const { return PagePointer::Decode(Value(index).data()); }

  // The first record whose key is not below `key`; count() if there is none.
  uint32_t LowerBound(const RecordKey& key) const;
  bool Holds(uint32_t index, const RecordKey& key) const {
    return index < count() && Key(index) == key;
  }
  // The record of a branch below which `key` belongs.
  uint32_t ChildIndex(const RecordKey& key) const;

 protected:
  uint32_t HeapBegin() const { return LoadLittle<uint16_t>(bytes_ + 28); }
  uint32_t Garbage() const { return LoadLittle<uint16_t>(bytes_ + 30); }
  const std::byte* Record(uint32_t index) const {
    return bytes_ + LoadLittle<uint16_t>(bytes_ + kPageHeaderBytes + kSlotBytes * index);
  }

  const std::byte* bytes_ = nullptr;
  uint32_t page_bytes_ = 0;
};

// Changes a page in memory. Borrows the bytes.
class PageEditor : public PageView {
 public:
  PageEditor() = default;
  PageEditor(std::byte* bytes, uint32_t page_bytes)
      : PageView(bytes, page_bytes), writable_(bytes) {}

  // Makes an empty page of the bytes.
  void Initialize(PageKind kind, PagePointer self);
  // Gives a copied page its own number and epoch.
  void SetSelf(PagePointer self);
  void Clear();

  // False, and no change, if there is no room.
  [[nodiscard]] bool Insert(uint32_t index, const RecordKey& key, Bytes value);
  [[nodiscard]] bool Replace(uint32_t index, Bytes value);
  void Remove(uint32_t index);
  void SetChild(uint32_t index, PagePointer child);
  // Puts a record behind the others. There must be room for it.
  void Append(const RecordKey& key, Bytes value);

 private:
  void SetCount(uint32_t count) { StoreLittle(writable_ + 26, static_cast<uint16_t>(count)); }
  void SetHeapBegin(uint32_t at) { StoreLittle(writable_ + 28, static_cast<uint16_t>(at)); }
  void SetGarbage(uint32_t bytes) { StoreLittle(writable_ + 30, static_cast<uint16_t>(bytes)); }
  std::byte* Slot(uint32_t index) { return writable_ + kPageHeaderBytes + kSlotBytes * index; }
  uint32_t Gap() const { return HeapBegin() - kPageHeaderBytes - kSlotBytes * count(); }
  void PlaceRecord(uint32_t index, const RecordKey& key, Bytes value);
  void Compact();

  std::byte* writable_ = nullptr;
};

// Writes the checksum into a page that is about to go to disk.
void SealPage(std::byte* page, uint32_t page_bytes, uint64_t seed);

// kCorrupt, with the reason, unless the bytes are the whole and sound page that `self` names.
Result<void> CheckPage(const std::byte* page, uint32_t page_bytes, uint64_t seed, PagePointer self);

}  // namespace kvfs::format
