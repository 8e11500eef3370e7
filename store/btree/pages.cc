// Reads through the mapping, and verifies a page that has not been verified lately.
#include "store/btree/pages.h"

#include <algorithm>

namespace kvfs {

using format::PagePointer;
using format::PageView;

// Positions of names are evenly distributed: interpolating the key between the child's key and the
// next one predicts the slots that a search of the child will read.
void Pages::Prefetch(const format::BranchView& branch, uint32_t index,
                     const format::RecordKey& key) const {
  const std::byte* bytes = view_.Known(branch.Child(index).number * config_.page_bytes);
  if (bytes == nullptr || index + 1 >= branch.count()) return;
  __builtin_prefetch(bytes);
  const uint64_t from = branch.Position(index), to = branch.Position(index + 1);
  if (key.position < from || key.position >= to) return;
  const auto share = static_cast<double>(static_cast<int64_t>(key.position - from)) /
                     static_cast<double>(static_cast<int64_t>(to - from));
  const auto slot = static_cast<uint32_t>(share * branch.Count(index));
  const uint32_t at =
      format::kPageHeaderBytes + format::kLeafGroupBytes + format::kLeafSlotBytes * slot;
  if (at < config_.page_bytes) __builtin_prefetch(bytes + at);
}

Result<PageView> Pages::Look(PagePointer page, MutableBytes copy) const {
  KVFS_ASSIGN(const std::byte* bytes,
              view_.View(page.number * config_.page_bytes, config_.page_bytes));
  if (!copy.empty()) {
    std::copy_n(bytes, config_.page_bytes, copy.data());
    bytes = copy.data();
  }
  KVFS_TRY(format::CheckPage({bytes, config_.page_bytes}, config_.checksum_seed, page));
  return PageView(bytes, config_.page_bytes);
}

Result<PageView> Pages::Verify(PagePointer page, ChecksumCache::Moment moment,
                               MutableBytes copy) const {
  const uint64_t offset = page.number * config_.page_bytes;
  const bool is_possible = page.number > 0 && page.number < format::kMaxNumber;
  auto seen = is_possible
                  ? Look(page, copy)
                  : Result<PageView>(Fail(ErrorCode::kCorrupt, "a pointer leads out of the file"));
  for (int looks = 1; is_possible && !seen && MayBeHidden(seen.error(), *file_); ++looks) {
    moment.faults = view_.faults();
    auto refreshed = file_->RefreshView(offset, config_.page_bytes);
    seen = refreshed ? Look(page, copy) : tl::unexpected(std::move(refreshed).error());
    if (!refreshed || view_.faults() == moment.faults) break;  // the bytes on disk are really so
    if (!seen && looks == kMostLooks) {
      seen = Fail(ErrorCode::kUnavailable, "the disk fails to deliver it");
    }
  }
  if (seen) {
    verified_.Insert(page.number, page.epoch, moment);
    return seen;
  }
  Error error = std::move(seen).error();
  const bool is_damage = error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kIo;
  error.message = config_.name + ": page " + std::to_string(page.number) + " at offset " +
                  std::to_string(offset) + (is_damage ? " is damaged: " : " cannot be read: ") +
                  error.message;
  if (!is_damage) return tl::unexpected(std::move(error));
  if (config_.log) config_.log(error.message);
  return Fail(ErrorCode::kCorrupt, std::move(error.message));
}

}  // namespace kvfs
