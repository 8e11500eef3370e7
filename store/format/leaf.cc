// Interpolation, exponential search, comparison. Every read stays inside the page whatever its
// bytes: counts are checked against the page's size once, offsets and lengths at each use.
#include "store/format/leaf.h"

#include <algorithm>
#include <bit>

#include "store/format/name_hash.h"
#include "store/format/search.h"

namespace kvfs::format {

uint32_t LeafView::GroupBegin(uint32_t group) const {
  if (group >= groups()) return count();
  const uint32_t begin =
      LoadLittle<uint16_t>(bytes_ + kPageHeaderBytes + kLeafGroupBytes * group + 8);
  return std::min(begin, count());
}

uint64_t LeafView::DirectoryOf(uint32_t index) const {
  uint32_t low = 0;
  for (uint32_t length = groups(); length > 1; length -= length / 2) {
    low = GroupBegin(low + length / 2) <= index ? low + length / 2 : low;
  }
  return GroupDirectory(low);
}

LeafView::Range LeafView::RangeOf(uint64_t directory) const {
  uint32_t low = 0, high = groups();
  if (high == 1 && GroupDirectory(0) == directory) return {0, count()};
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (GroupDirectory(middle) < directory) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const uint32_t begin = GroupBegin(low);
  if (low == groups() || GroupDirectory(low) != directory) return {begin, begin};
  return {begin, std::max(begin, GroupBegin(low + 1))};
}

uint32_t LeafView::OffsetOf(uint32_t index) const {
  if (index >= count()) return std::min(end(), page_bytes_);
  return std::min<uint32_t>(LoadLittle<uint16_t>(Slot(index) + 4), page_bytes_);
}

bool LeafView::FingerprintOf(uint64_t position, uint32_t* fingerprint) const {
  const uint64_t base = LoadLittle<uint64_t>(bytes_ + 32);
  const auto last = LoadLittle<uint32_t>(bytes_ + 44);
  *fingerprint = 0;
  if (position < base) return false;
  const uint64_t shifted = (position - base) >> (static_cast<uint8_t>(bytes_[30]) & 63);
  *fingerprint = static_cast<uint32_t>(std::min<uint64_t>(shifted, last));
  return shifted <= last;
}

uint32_t LeafView::FirstSlot(Range range, uint32_t fingerprint) const {
  const uint32_t last = LoadLittle<uint32_t>(bytes_ + 44);
  return FirstNotBelow(range.begin, range.end, uint32_t{0}, last, fingerprint,
                       [this](uint32_t i) { return Fingerprint(i); });
}

LeafRecord LeafView::Decode(uint32_t index, uint64_t directory) const {
  const uint32_t begin = OffsetOf(index), limit = std::max(begin, OffsetOf(index + 1));
  const std::byte *at = bytes_ + begin, *stop = bytes_ + limit;
  LeafRecord record;
  record.key.directory = directory;
  if (at == stop) return record;
  const auto name_bytes = static_cast<size_t>(*at++);
  if (name_bytes > static_cast<size_t>(stop - at)) return record;
  if (name_bytes > 0) {
    record.key.name = AsText({at, name_bytes});
    record.key.position = hash_->PositionOf(record.key.name);
    at += name_bytes;
  } else {
    at = GetVarint(at, stop, &record.key.position);
  }
  if (at != nullptr) at = GetVarint(at, stop, &record.version);
  if (at != nullptr) record.value = {at, stop};
  return record;
}

bool LeafView::IsNamed(uint32_t index, std::string_view name) const {
  const uint32_t at = OffsetOf(index);
  return at < page_bytes_ && static_cast<size_t>(bytes_[at]) == name.size() &&
         at + 1 + name.size() <= page_bytes_ && AsText({bytes_ + at + 1, name.size()}) == name;
}

std::optional<LeafRecord> LeafView::Find(const RecordKey& key) const {
  const Range range = RangeOf(key.directory);
  uint32_t fingerprint;
  if (!FingerprintOf(key.position, &fingerprint)) return std::nullopt;
  for (uint32_t i = FirstSlot(range, fingerprint); i < range.end && Fingerprint(i) == fingerprint;
       ++i) {
    // An equal name has an equal position.
    if (!IsNamed(i, key.name)) continue;
    LeafRecord record = Decode(i, key.directory);
    if (!key.name.empty() || record.key.position == key.position) return record;
  }
  return std::nullopt;
}

uint32_t LeafView::LowerBound(const RecordKey& key) const {
  const Range range = RangeOf(key.directory);
  uint32_t fingerprint;
  const bool inside = FingerprintOf(key.position, &fingerprint);
  if (!inside)
    return fingerprint == 0 && key.position < LoadLittle<uint64_t>(bytes_ + 32) ? range.begin
                                                                                : range.end;
  uint32_t i = FirstSlot(range, fingerprint);
  while (i < range.end && Fingerprint(i) == fingerprint && Decode(i, key.directory).key < key) ++i;
  return i;
}

Result<void> LeafView::CheckOrder() const {
  LeafRecord before;
  for (uint32_t i = 0; i < count(); ++i) {
    const LeafRecord record = Record(i);
    if (i > 0 && before.key >= record.key) {
      return Fail(ErrorCode::kCorrupt, "its records are out of order");
    }
    uint32_t fingerprint;
    if (!FingerprintOf(record.key.position, &fingerprint) || fingerprint != Fingerprint(i)) {
      return Fail(ErrorCode::kCorrupt, "a record has the wrong fingerprint");
    }
    before = record;
  }
  return {};
}

std::vector<RecordKey> LeafView::KeysThatFit() const {
  std::vector<RecordKey> keys;
  const uint64_t slots_end =
      kPageHeaderBytes + uint64_t{kLeafGroupBytes} * groups() + uint64_t{kLeafSlotBytes} * count();
  if (groups() == 0 || slots_end > page_bytes_) return keys;
  for (uint32_t i = 0; i < count(); ++i) {
    const LeafRecord record = Record(i);
    uint32_t fingerprint;
    const bool fits = !record.key.name.empty() &&
                      FingerprintOf(record.key.position, &fingerprint) &&
                      fingerprint == Fingerprint(i);
    if (fits) keys.push_back(record.key);
  }
  return keys;
}

namespace {

struct Groups {
  uint32_t count = 0;
  uint64_t base = ~uint64_t{0};
  uint64_t highest = 0;
};

Groups MeasureGroups(std::span<const LeafRecord> records) {
  if (records.empty()) return {0, 0, 0};
  Groups groups;
  for (size_t i = 0; i < records.size(); ++i) {
    if (i == 0 || records[i].key.directory != records[i - 1].key.directory) ++groups.count;
    groups.base = std::min(groups.base, records[i].key.position);
    groups.highest = std::max(groups.highest, records[i].key.position);
  }
  return groups;
}

std::byte* EncodeRecord(const LeafRecord& record, std::byte* at) {
  *at++ = static_cast<std::byte>(record.key.name.size());
  CopyBytes(at, AsBytes(record.key.name));
  at += record.key.name.size();
  if (record.key.name.empty()) at = PutVarint(at, record.key.position);
  at = PutVarint(at, record.version);
  CopyBytes(at, record.value);
  return at + record.value.size();
}

}  // namespace

void EncodeLeaf(std::span<const LeafRecord> records, uint8_t flags, PagePointer self, uint64_t seed,
                MutableBytes page) {
  const Groups groups = MeasureGroups(records);
  const auto range_bits = static_cast<int>(std::bit_width(groups.highest - groups.base));
  const int shift = std::max(0, range_bits - 32);
  std::byte* const begin = page.data();
  std::byte* group = begin + kPageHeaderBytes;
  std::byte* slot = group + kLeafGroupBytes * groups.count;
  std::byte* at = slot + kLeafSlotBytes * records.size();
  std::memset(begin, 0, kPageHeaderBytes);
  for (size_t i = 0; i < records.size(); ++i) {
    const LeafRecord& record = records[i];
    if (i == 0 || record.key.directory != records[i - 1].key.directory) {
      StoreLittle(group, record.key.directory);
      StoreLittle(group + 8, static_cast<uint16_t>(i));
      group += kLeafGroupBytes;
    }
    StoreLittle(slot, static_cast<uint32_t>((record.key.position - groups.base) >> shift));
    StoreLittle(slot + 4, static_cast<uint16_t>(at - begin));
    slot += kLeafSlotBytes;
    at = EncodeRecord(record, at);
  }
  std::memset(at, 0, static_cast<size_t>(begin + page.size() - at));
  SetPageHeader(page, PageKind::kLeaf, self, records.size(), static_cast<size_t>(at - begin));
  page[30] = static_cast<std::byte>(shift);
  page[31] = static_cast<std::byte>(flags);
  StoreLittle(begin + 32, groups.base);
  StoreLittle(begin + 40, static_cast<uint16_t>(groups.count));
  StoreLittle(begin + 44, static_cast<uint32_t>((groups.highest - groups.base) >> shift));
  SealPage(page, seed);
}

namespace {

// Whether the record at `at` ends by `stop` and has a value.
bool IsSoundRecord(const std::byte* at, const std::byte* stop) {
  if (at >= stop) return false;
  const auto name_bytes = static_cast<ptrdiff_t>(*at++);
  uint64_t number;
  if (name_bytes > stop - at) return false;
  at = name_bytes > 0 ? at + name_bytes : GetVarint(at, stop, &number);
  return at != nullptr && GetVarint(at, stop, &number) != nullptr;
}

}  // namespace

Result<void> CheckLeaf(PageView page) {
  const NameHash unused;
  const LeafView leaf(page, unused);
  const uint32_t groups = leaf.groups(), count = leaf.count();
  const uint32_t slots_end = kPageHeaderBytes + kLeafGroupBytes * groups + kLeafSlotBytes * count;
  auto damaged = [](const char* reason) { return Fail(ErrorCode::kCorrupt, reason); };
  const bool may_be_empty = leaf.IsIncomplete() && groups == 0 && count == 0;
  if ((groups == 0 && !may_be_empty) || groups > count || slots_end > leaf.end()) {
    return damaged("it has no room for its records");
  }
  if (leaf.GroupBegin(0) != 0) return damaged("its first records belong to no space");
  for (uint32_t i = 1; i < groups; ++i) {
    if (leaf.GroupDirectory(i - 1) >= leaf.GroupDirectory(i) ||
        leaf.GroupBegin(i - 1) >= leaf.GroupBegin(i)) {
      return damaged("its directories are out of order");
    }
  }
  uint32_t before = slots_end;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t at = leaf.OffsetOf(i), stop = leaf.OffsetOf(i + 1);
    if (at != before || stop < at || stop > leaf.end() ||
        !IsSoundRecord(page.bytes() + at, page.bytes() + stop)) {
      return damaged("a record lies outside it");
    }
    before = stop;
  }
  return {};
}

}  // namespace kvfs::format
