// One array; keys of a single directory are searched like a leaf's slots.
#include "store/format/branch.h"

#include <algorithm>

#include "store/format/search.h"

namespace kvfs::format {

// Stays in bounds even with unchecked bytes.
std::string_view BranchView::Name(uint32_t index) const {
  const uint32_t at = LoadLittle<uint16_t>(Item(index) + 34);
  if (at == 0 || at >= page_bytes_) return {};
  const auto length = static_cast<uint32_t>(bytes_[at]);
  if (at + 1 + length > page_bytes_) return {};
  return AsText({bytes_ + at + 1, length});
}

RecordKey BranchView::Key(uint32_t index) const {
  return {Directory(index), Position(index), Name(index)};
}

bool BranchView::IsAtMost(uint32_t index, const RecordKey& key) const {
  if (Directory(index) != key.directory) return Directory(index) < key.directory;
  if (Position(index) != key.position) return Position(index) < key.position;
  return Name(index) <= key.name;
}

uint32_t BranchView::ChildIndex(const RecordKey& key) const {
  // Finds the first item above the key; item 0 counts as below all keys.
  const uint32_t end = count();
  const bool in_directory =
      end > 2 && Directory(1) == key.directory && Directory(end - 1) == key.directory;
  const uint64_t from = end > 2 ? Position(1) : 0, to = end > 2 ? Position(end - 1) : 0;
  uint32_t at = end / 2;
  if (in_directory && key.position > from && key.position < to) {
    at = FirstNotBelow(1, end, from, to, key.position, [this](uint32_t i) { return Position(i); });
    // Only names could order an item with the same position below the key.
    if (at < end && Position(at) != key.position) return at - 1;
  }
  if (end < 2) return 0;
  return FirstFrom(1, end, at, [&](uint32_t i) { return !IsAtMost(i, key); }) - 1;
}

Result<void> BranchView::CheckOrder() const {
  for (uint32_t i = 1; i < count(); ++i) {
    if (Key(i - 1) < Key(i)) continue;
    return Fail(ErrorCode::kCorrupt, "its keys are out of order");
  }
  return {};
}

void EncodeBranch(std::span<const BranchRecord> records, PagePointer self, uint64_t seed,
                  MutableBytes page) {
  std::ranges::fill(page, std::byte{0});
  std::byte* item = page.data() + kPageHeaderBytes;
  size_t end = kPageHeaderBytes + kBranchItemBytes * records.size();
  for (const BranchRecord& record : records) {
    StoreLittle(item, record.key.directory);
    StoreLittle(item + 8, record.key.position);
    record.child.Encode(item + 16);
    StoreLittle(item + 32, static_cast<uint16_t>(record.count));
    if (!record.key.name.empty()) {
      StoreLittle(item + 34, static_cast<uint16_t>(end));
      page[end] = static_cast<std::byte>(record.key.name.size());
      CopyBytes(page.data() + end + 1, AsBytes(record.key.name));
      end += 1 + record.key.name.size();
    }
    item += kBranchItemBytes;
  }
  SetPageHeader(page, PageKind::kBranch, self, records.size(), end);
  SealPage(page, seed);
}

Result<void> CheckBranch(PageView page) {
  const BranchView branch(page);
  const uint32_t items_end = kPageHeaderBytes + kBranchItemBytes * branch.count();
  if (items_end > branch.end()) {
    return Fail(ErrorCode::kCorrupt, "it has no room for its records");
  }
  for (uint32_t i = 0; i < branch.count(); ++i) {
    const uint32_t at = LoadLittle<uint16_t>(branch.Item(i) + 34);
    if (at == 0) continue;
    if (at < items_end || at >= branch.end() ||
        at + 1 + static_cast<uint32_t>(page.bytes()[at]) > branch.end()) {
      return Fail(ErrorCode::kCorrupt, "a name lies outside it");
    }
  }
  return {};
}

}  // namespace kvfs::format
