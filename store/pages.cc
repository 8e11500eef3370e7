// A look at the mapping, and a check where it is the first for long.
#include "store/pages.h"

namespace kvfs {

using format::PagePointer;
using format::PageView;

// Names' positions are spread evenly: where the key lies between the child's key and the next tells
// about which of the child's slots will be looked at.
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

Result<PageView> Pages::Verify(PagePointer page, uint64_t faults) const {
  auto bytes = page.number > 0 && page.number < format::kMaxNumber
                   ? view_.View(page.number * config_.page_bytes, config_.page_bytes)
                   : Fail(ErrorCode::kCorrupt, "a pointer leads out of the file");
  auto sound = bytes ? format::CheckPage({*bytes, config_.page_bytes}, config_.checksum_seed, page)
                     : Result<void>(tl::unexpected(bytes.error()));
  if (!sound) {
    std::string message = config_.name + ": page " + std::to_string(page.number) + " at offset " +
                          std::to_string(page.number * config_.page_bytes) +
                          " is damaged: " + sound.error().message;
    if (config_.log) config_.log(message);
    return Fail(ErrorCode::kCorrupt, std::move(message));
  }
  verified_.Insert(page.number, page.epoch, faults);
  return PageView(*bytes, config_.page_bytes);
}

}  // namespace kvfs
