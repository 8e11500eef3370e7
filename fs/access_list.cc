// Encodes and decodes lists, and maps mode bits to entries.
#include "fs/access_list.h"

#include <algorithm>
#include <utility>

#include <kvfs/bytes.h>

namespace kvfs::fs {
namespace {

constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = 4;
constexpr size_t kEntryBytes = 8;

constexpr uint32_t kNobody = UINT32_MAX;  // the id of an entry that names nobody

bool IsNamed(uint16_t tag) { return tag == AccessList::kUser || tag == AccessList::kGroup; }

}  // namespace

Result<AccessList> AccessList::Decode(std::string_view bytes) {
  const auto refuse = [] { return Fail(ErrorCode::kInvalid, "not an access control list"); };
  const std::byte* at = AsBytes(bytes).data();
  if (bytes.size() < kHeaderBytes || (bytes.size() - kHeaderBytes) % kEntryBytes != 0 ||
      LoadLittle<uint32_t>(at) != kVersion) {
    return refuse();
  }
  AccessList list;
  uint32_t single_tags = 0;
  for (size_t offset = kHeaderBytes; offset < bytes.size(); offset += kEntryBytes) {
    const Entry entry = {LoadLittle<uint16_t>(at + offset), LoadLittle<uint16_t>(at + offset + 2),
                         LoadLittle<uint32_t>(at + offset + 4)};
    const bool is_single = entry.tag == kOwner || entry.tag == kOwningGroup || entry.tag == kMask ||
                           entry.tag == kOthers;
    const bool is_repeated = is_single && (single_tags & entry.tag) != 0;
    if ((!is_single && !IsNamed(entry.tag)) || entry.permissions > 7 || is_repeated) {
      return refuse();
    }
    if (!list.entries_.empty() && entry.tag < list.entries_.back().tag) return refuse();
    if (is_single) single_tags |= entry.tag;
    list.entries_.push_back(entry);
  }
  constexpr uint32_t kNeeded = kOwner | kOwningGroup | kOthers;
  if ((single_tags & kNeeded) != kNeeded) return refuse();
  const bool has_named = std::any_of(list.entries_.begin(), list.entries_.end(),
                                     [](const Entry& entry) { return IsNamed(entry.tag); });
  if (has_named && (single_tags & kMask) == 0) return refuse();
  return list;
}

Result<AccessList> AccessList::FromEntries(std::vector<Entry> entries) {
  uint32_t limited = 0;
  bool has_named = false;
  bool has_mask = false;
  for (Entry& entry : entries) {
    has_named |= IsNamed(entry.tag);
    has_mask |= entry.tag == kMask;
    if (IsNamed(entry.tag) || entry.tag == kOwningGroup) limited |= entry.permissions;
    if (!IsNamed(entry.tag)) entry.id = kNobody;
  }
  if (has_named && !has_mask) entries.push_back({kMask, static_cast<uint16_t>(limited), kNobody});
  std::ranges::sort(entries, [](const Entry& one, const Entry& other) {
    return std::pair(one.tag, one.id) < std::pair(other.tag, other.id);
  });
  AccessList list;
  list.entries_ = std::move(entries);
  return Decode(list.Encode());
}

std::string AccessList::Encode() const {
  std::string out(kHeaderBytes + entries_.size() * kEntryBytes, '\0');
  auto* at = reinterpret_cast<std::byte*>(out.data());
  StoreLittle(at, kVersion);
  at += kHeaderBytes;
  for (const Entry& entry : entries_) {
    StoreLittle(at, entry.tag);
    StoreLittle(at + 2, entry.permissions);
    StoreLittle(at + 4, entry.id);
    at += kEntryBytes;
  }
  return out;
}

const AccessList::Entry* AccessList::FindEntry(uint16_t tag) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [tag](const Entry& entry) { return entry.tag == tag; });
  return found == entries_.end() ? nullptr : &*found;
}

AccessList::Entry& AccessList::At(uint16_t tag) { return const_cast<Entry&>(*FindEntry(tag)); }

AccessList::Entry& AccessList::GroupClass() {
  return At(FindEntry(kMask) != nullptr ? kMask : kOwningGroup);
}

bool AccessList::SaysNoMoreThanMode() const { return entries_.size() == 3; }

uint32_t AccessList::ModeOf(uint32_t mode) const {
  const Entry* mask = FindEntry(kMask);
  const uint32_t group = (mask != nullptr ? mask : FindEntry(kOwningGroup))->permissions;
  return (mode & ~uint32_t{0777}) | uint32_t{FindEntry(kOwner)->permissions} << 6 | group << 3 |
         FindEntry(kOthers)->permissions;
}

void AccessList::TakeMode(uint32_t mode) {
  At(kOwner).permissions = static_cast<uint16_t>(mode >> 6 & 7);
  GroupClass().permissions = static_cast<uint16_t>(mode >> 3 & 7);
  At(kOthers).permissions = static_cast<uint16_t>(mode & 7);
}

uint32_t AccessList::Inherit(uint32_t mode) {
  At(kOwner).permissions &= static_cast<uint16_t>(mode >> 6 & 7);
  GroupClass().permissions &= static_cast<uint16_t>(mode >> 3 & 7);
  At(kOthers).permissions &= static_cast<uint16_t>(mode & 7);
  return ModeOf(mode);
}

}  // namespace kvfs::fs
