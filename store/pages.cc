// Copying, freezing and writing of pages.
#include "store/pages.h"

#include <algorithm>

#include "store/run_writer.h"

namespace kvfs {

using format::PageEditor;
using format::PageKind;
using format::PagePointer;
using format::PageView;

Pages::Pages(File* file, SpaceMap* space, PagesConfig config, uint64_t open_epoch)
    : file_(file), space_(space), config_(std::move(config)), open_epoch_(open_epoch) {}

Result<PageView> Pages::Read(PagePointer page) const {
  if (!frames_.empty()) {
    if (auto found = frames_.find(page.number); found != frames_.end()) {
      return PageView(found->second.bytes.get(), config_.page_bytes);
    }
  }
  const uint64_t faults = file_->ViewFaults();
  // A hostile pointer must not lead the multiplication around its end.
  constexpr uint64_t kMaxPages = uint64_t{1} << 48;
  auto bytes = page.number < kMaxPages && page.epoch <= open_epoch_
                   ? file_->View(page.number * config_.page_bytes, config_.page_bytes)
                   : Fail(ErrorCode::kCorrupt, "a pointer leads out of the file");
  if (bytes && verified_.Contains(page, faults)) return PageView(*bytes, config_.page_bytes);
  auto sound = bytes ? format::CheckPage(*bytes, config_.page_bytes, config_.checksum_seed, page)
                     : Result<void>(tl::unexpected(bytes.error()));
  if (!sound) {
    std::string message = config_.name + ": page " + std::to_string(page.number) + " at offset " +
                          std::to_string(page.number * config_.page_bytes) +
                          " is damaged: " + sound.error().message;
    if (config_.log) config_.log(message);
    return Fail(ErrorCode::kCorrupt, std::move(message));
  }
  verified_.Insert(page, faults);
  return PageView(*bytes, config_.page_bytes);
}

Pages::Frame& Pages::AddFrame(uint64_t number) {
  Frame& frame = frames_[number];
  frame.epoch = open_epoch_;
  frame.bytes = std::make_unique_for_overwrite<std::byte[]>(config_.page_bytes);
  return frame;
}

Result<PageEditor> Pages::Writable(PagePointer* page) {
  if (page->epoch == open_epoch_) {
    if (auto found = frames_.find(page->number); found != frames_.end()) {
      return PageEditor(found->second.bytes.get(), config_.page_bytes);
    }
  }
  KVFS_ASSIGN(PageView old, Read(*page));
  PagePointer copy{space_->Allocate(), open_epoch_};
  Frame& frame = AddFrame(copy.number);
  std::memcpy(frame.bytes.get(), old.bytes(), config_.page_bytes);
  space_->FreeLater(page->number);
  *page = copy;
  PageEditor editor(frame.bytes.get(), config_.page_bytes);
  editor.SetSelf(copy);
  return editor;
}

PageEditor Pages::New(PageKind kind, PagePointer* page) {
  *page = {space_->Allocate(), open_epoch_};
  PageEditor editor(AddFrame(page->number).bytes.get(), config_.page_bytes);
  editor.Initialize(kind, *page);
  return editor;
}

void Pages::Free(PagePointer page) {
  auto found = frames_.find(page.number);
  if (found != frames_.end() && found->second.epoch == open_epoch_) {
    frames_.erase(found);
    space_->FreeNow(page.number);
  } else {
    space_->FreeLater(page.number);
  }
}

void Pages::CloseEpoch() {
  frozen_.clear();
  for (const auto& [number, frame] : frames_) frozen_.emplace_back(number, frame.bytes.get());
  ++open_epoch_;
}

Result<void> Pages::WriteFrozen() const {
  auto ascending = frozen_;
  std::ranges::sort(ascending);
  RunWriter writer(file_);
  for (const auto& [number, bytes] : ascending) {
    KVFS_ASSIGN(std::byte * to, writer.Add(number * config_.page_bytes, config_.page_bytes));
    std::memcpy(to, bytes, config_.page_bytes);
    // The copy is sealed, not the frame: a writer may be copying that at this moment.
    format::SealPage(to, config_.page_bytes, config_.checksum_seed);
  }
  return writer.Flush();
}

void Pages::DropFrozen() {
  for (const auto& [number, bytes] : frozen_) frames_.erase(number);
  frozen_.clear();
}

}  // namespace kvfs
