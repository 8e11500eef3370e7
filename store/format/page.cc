// Records grow from the page's end towards its slots. A removed or replaced record leaves garbage,
// which Compact squeezes out when the gap between slots and heap gets too small.
#include "store/format/page.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "store/format/checksum.h"

namespace kvfs::format {
namespace {

uint32_t RecordLength(const std::byte* record) {
  return kRecordHeaderBytes + LoadLittle<uint8_t>(record + 16) + LoadLittle<uint16_t>(record + 17);
}

RecordKey RecordKeyAt(const std::byte* record) {
  return {LoadLittle<uint64_t>(record), LoadLittle<uint64_t>(record + 8),
          AsText(Bytes(record + kRecordHeaderBytes, LoadLittle<uint8_t>(record + 16)))};
}

}  // namespace

uint32_t PageView::UsedBytes() const {
  return page_bytes_ - HeapBegin() - Garbage() + kSlotBytes * count();
}

RecordKey PageView::Key(uint32_t index) const { return RecordKeyAt(Record(index)); }

Bytes PageView::Value(uint32_t index) const {
  const std::byte* record = Record(index);
  return {record + kRecordHeaderBytes + LoadLittle<uint8_t>(record + 16),
          LoadLittle<uint16_t>(record + 17)};
}

uint32_t PageView::LowerBound(const RecordKey& key) const {
  uint32_t low = 0, high = count();
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (Key(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

uint32_t PageView::ChildIndex(const RecordKey& key) const {
  uint32_t at = LowerBound(key);
  return at == 0 || Holds(at, key) ? at : at - 1;
}

void PageEditor::Initialize(PageKind kind, PagePointer self) {
  std::memset(writable_, 0, page_bytes_);
  StoreLittle(writable_ + 24, static_cast<uint16_t>(kind));
  SetSelf(self);
  Clear();
}

void PageEditor::SetSelf(PagePointer self) { self.Encode(writable_ + 8); }

void PageEditor::Clear() {
  SetCount(0);
  SetHeapBegin(page_bytes_);
  SetGarbage(0);
}

bool PageEditor::Insert(uint32_t index, const RecordKey& key, Bytes value) {
  uint32_t need = RecordBytes(key.name.size(), value.size());
  if (need > FreeBytes()) return false;
  if (need > Gap()) Compact();
  std::memmove(Slot(index + 1), Slot(index), kSlotBytes * (count() - index));
  SetCount(count() + 1);
  PlaceRecord(index, key, value);
  return true;
}

bool PageEditor::Replace(uint32_t index, Bytes value) {
  Bytes old = Value(index);
  if (old.size() == value.size()) {
    CopyBytes(writable_ + (old.data() - bytes_), value);
    return true;
  }
  RecordKey key = Key(index);
  uint32_t old_length = RecordLength(Record(index));
  uint32_t new_length = RecordBytes(key.name.size(), value.size()) - kSlotBytes;
  if (new_length > FreeBytes() + old_length) return false;
  std::array<char, 255> name;
  key.name.copy(name.data(), key.name.size());
  key.name = {name.data(), key.name.size()};
  Remove(index);
  return Insert(index, key, value);
}

void PageEditor::Remove(uint32_t index) {
  SetGarbage(Garbage() + RecordLength(Record(index)));
  std::memmove(Slot(index), Slot(index + 1), kSlotBytes * (count() - index - 1));
  SetCount(count() - 1);
}

void PageEditor::SetChild(uint32_t index, PagePointer child) {
  child.Encode(writable_ + (Value(index).data() - bytes_));
}

void PageEditor::Append(const RecordKey& key, Bytes value) {
  uint32_t index = count();
  SetCount(index + 1);
  PlaceRecord(index, key, value);
}

void PageEditor::PlaceRecord(uint32_t index, const RecordKey& key, Bytes value) {
  uint32_t at = HeapBegin() - (RecordBytes(key.name.size(), value.size()) - kSlotBytes);
  std::byte* record = writable_ + at;
  StoreLittle(record, key.space);
  StoreLittle(record + 8, key.position);
  StoreLittle(record + 16, static_cast<uint8_t>(key.name.size()));
  StoreLittle(record + 17, static_cast<uint16_t>(value.size()));
  CopyBytes(record + kRecordHeaderBytes, AsBytes(key.name));
  CopyBytes(record + kRecordHeaderBytes + key.name.size(), value);
  StoreLittle(Slot(index), static_cast<uint16_t>(at));
  SetHeapBegin(at);
}

void PageEditor::Compact() {
  std::array<std::byte, kMaxPageBytes> copy;
  std::memcpy(copy.data(), bytes_, page_bytes_);
  uint32_t at = page_bytes_;
  for (uint32_t i = 0; i < count(); ++i) {
    const std::byte* record = copy.data() + LoadLittle<uint16_t>(Slot(i));
    uint32_t length = RecordLength(record);
    at -= length;
    std::memcpy(writable_ + at, record, length);
    StoreLittle(Slot(i), static_cast<uint16_t>(at));
  }
  SetHeapBegin(at);
  SetGarbage(0);
}

void SealPage(std::byte* page, uint32_t page_bytes, uint64_t seed) {
  StoreLittle(page, Checksum({page + 8, page_bytes - 8}, seed));
}

namespace {

Result<void> Damaged(PagePointer self, const std::string& reason) {
  return Fail(ErrorCode::kCorrupt, "page " + std::to_string(self.number) + ": " + reason);
}

// Records that shared bytes would let a change of one reach into the other.
bool RecordsOverlap(PageView view) {
  std::vector<std::pair<uint32_t, uint32_t>> extents;  // begin, end
  extents.reserve(view.count());
  for (uint32_t i = 0; i < view.count(); ++i) {
    const uint32_t at = LoadLittle<uint16_t>(view.bytes() + kPageHeaderBytes + kSlotBytes * i);
    extents.emplace_back(at, at + RecordLength(view.bytes() + at));
  }
  std::ranges::sort(extents);
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].first < extents[i - 1].second) return true;
  }
  return false;
}

// Every record lies whole inside the heap, keys ascend, branches hold pointers.
Result<void> CheckRecords(PageView view, PagePointer self) {
  const uint32_t page_bytes = view.page_bytes(), count = view.count();
  const uint32_t heap_begin = LoadLittle<uint16_t>(view.bytes() + 28);
  const bool is_leaf = view.IsLeaf();
  uint32_t live_bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t at = LoadLittle<uint16_t>(view.bytes() + kPageHeaderBytes + kSlotBytes * i);
    if (at < heap_begin || at + kRecordHeaderBytes > page_bytes ||
        at + RecordLength(view.bytes() + at) > page_bytes) {
      return Damaged(self, "record " + std::to_string(i) + " does not lie inside the page");
    }
    live_bytes += RecordLength(view.bytes() + at);
    if (i > 0 && view.Key(i - 1) >= view.Key(i)) {
      return Damaged(self, "records " + std::to_string(i - 1) + " and " + std::to_string(i) +
                               " are out of order");
    }
    if (!is_leaf && view.Value(i).size() != PagePointer::kBytes) {
      return Damaged(self, "record " + std::to_string(i) + " of a branch holds no pointer");
    }
  }
  if (!is_leaf && view.Key(0) != RecordKey{}) {
    return Damaged(self, "a branch begins with a bound");
  }
  if (live_bytes + LoadLittle<uint16_t>(view.bytes() + 30) != page_bytes - heap_begin) {
    return Damaged(self, "its records do not fill its heap");
  }
  if (RecordsOverlap(view)) return Damaged(self, "its records overlap");
  return {};
}

}  // namespace

Result<void> CheckPage(const std::byte* page, uint32_t page_bytes, uint64_t seed,
                       PagePointer self) {
  if (LoadLittle<uint64_t>(page) != Checksum({page + 8, page_bytes - 8}, seed)) {
    return Damaged(self, "its checksum is wrong");
  }
  if (PagePointer::Decode(page + 8) != self) {
    return Damaged(self, "another page lies in its place, or an older one");
  }
  uint16_t kind = LoadLittle<uint16_t>(page + 24);
  if (kind != static_cast<uint16_t>(PageKind::kLeaf) &&
      kind != static_cast<uint16_t>(PageKind::kBranch)) {
    return Damaged(self, "it is of no known kind");
  }
  PageView view(page, page_bytes);
  uint32_t heap_begin = LoadLittle<uint16_t>(page + 28);
  if (heap_begin > page_bytes || kPageHeaderBytes + kSlotBytes * view.count() > heap_begin) {
    return Damaged(self, "its slots run into its records");
  }
  if (view.count() == 0) return Damaged(self, "it is empty");
  return CheckRecords(view, self);
}

}  // namespace kvfs::format
