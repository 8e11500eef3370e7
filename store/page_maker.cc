// Numbers are held in runs, so that pages made one after another lie so, too.
#include "store/page_maker.h"

#include <utility>

namespace kvfs {
namespace {

constexpr uint64_t kHeldAtOnce = 64;

}  // namespace

PageMaker::PageMaker(File* file, SpaceMap* space, uint32_t page_bytes, uint64_t epoch,
                     uint32_t fill_percent)
    : file_(file),
      space_(space),
      page_bytes_(page_bytes),
      epoch_(epoch),
      fill_percent_(fill_percent) {}

PageMaker::~PageMaker() {
  for (const Run& run : taken_) space_->Release(run);
  space_->Release(ready_);
}

Result<NewPage> PageMaker::Make(bool is_leaf) {
  if (ready_.count == 0) {
    KVFS_TRY(space_->Reserve(1));
    ready_ = space_->Hold(kHeldAtOnce);
    if (ready_.count == 0) return Fail(ErrorCode::kNoSpace, "no page is left for the tree");
    taken_.push_back({ready_.first, 0});
  }
  const uint64_t number = ready_.first++;
  --ready_.count;
  ++taken_.back().count;
  KVFS_ASSIGN(std::byte * bytes, file_.Add(number * page_bytes_, page_bytes_));
  CountPage(is_leaf, +1);
  return NewPage{{number, epoch_}, {bytes, page_bytes_}};
}

void PageMaker::TakeAccount(std::vector<Run>* taken, std::vector<uint64_t>* freed) {
  *taken = std::exchange(taken_, {});
  *freed = std::exchange(freed_, {});
}

}  // namespace kvfs
