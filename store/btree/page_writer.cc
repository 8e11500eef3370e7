// Numbers are pinned in runs, so that pages made one after another are consecutive on disk.
#include "store/btree/page_writer.h"

#include <algorithm>
#include <utility>

namespace kvfs {
namespace {

constexpr uint64_t kPinnedAtOnce = 64;

}  // namespace

PageWriter::PageWriter(File* file, BlockAllocator* space, uint32_t page_bytes, uint64_t epoch,
                       uint32_t fill_percent)
    : file_(file),
      space_(space),
      page_bytes_(page_bytes),
      epoch_(epoch),
      fill_percent_(fill_percent) {}

PageWriter::~PageWriter() {
  for (const Run& run : allocated_) space_->Unpin(run);
  space_->Unpin(pinned_);
}

Result<NewPage> PageWriter::Make(bool is_leaf) {
  if (pinned_.count == 0) {
    KVFS_TRY(space_->Preallocate(1));
    pinned_ = space_->Pin(kPinnedAtOnce);
    if (pinned_.count == 0) return Fail(ErrorCode::kNoSpace, "no page is left for the tree");
    allocated_.push_back({pinned_.first, 0});
  }
  EndHead();
  const uint64_t number = pinned_.first++;
  --pinned_.count;
  ++allocated_.back().count;
  const uint64_t offset = number * page_bytes_;
  const bool is_head = space_->HasHeadOnly(number);
  KVFS_ASSIGN(std::byte * bytes,
              is_head ? file_.AddHead(offset, page_bytes_, BlockAllocator::kHeadBytes)
                      : file_.Add(offset, page_bytes_));
  if (is_head) {
    head_ = number;
    head_page_ = {bytes, page_bytes_};
  }
  CountPage(is_leaf, +1);
  return NewPage{{number, epoch_}, {bytes, page_bytes_}};
}

// After the page has been filled: checks whether its head suffices for it.
void PageWriter::EndHead() {
  if (head_ == 0) return;
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  if (!std::ranges::all_of(head_page_.subspan(BlockAllocator::kHeadBytes), is_zero)) {
    space_->NoteWhole(head_);
    file_.WriteWhole();
  }
  head_ = 0;
}

Result<void> PageWriter::Flush() {
  EndHead();
  return file_.Flush();
}

void PageWriter::TakeAccount(std::vector<Run>* allocated, std::vector<uint64_t>* freed) {
  *allocated = std::exchange(allocated_, {});
  *freed = std::exchange(freed_, {});
}

}  // namespace kvfs
