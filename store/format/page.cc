// Encodes and checks the header.
#include "store/format/page.h"

#include <string>

#include "store/format/branch.h"
#include "store/format/checksum.h"
#include "store/format/leaf.h"
#include "store/format/name_hash.h"

namespace kvfs::format {

void SetPageHeader(MutableBytes page, PageKind kind, PagePointer self, size_t count, size_t end) {
  self.Encode(page.data() + 8);
  StoreLittle(page.data() + 24, static_cast<uint16_t>(kind));
  StoreLittle(page.data() + 26, static_cast<uint16_t>(count));
  StoreLittle(page.data() + 28, static_cast<uint16_t>(end));
}

void SealPage(MutableBytes page, uint64_t seed) {
  StoreLittle(page.data(), Checksum(page.subspan(8), seed));
}

namespace {

tl::unexpected<Error> Damaged(const char* reason) { return Fail(ErrorCode::kCorrupt, reason); }

}  // namespace

Result<void> CheckPage(Bytes page, uint64_t seed, PagePointer self) {
  if (LoadLittle<uint64_t>(page.data()) != Checksum(page.subspan(8), seed)) {
    return Damaged("its checksum is wrong");
  }
  const PageView view(page.data(), static_cast<uint32_t>(page.size()));
  if (view.self() != self) return Damaged("another page, or an older one, is in its place");
  if (view.end() > page.size()) return Damaged("its records extend beyond it");
  if (view.IsLeaf()) return CheckLeaf(view);
  if (LoadLittle<uint16_t>(page.data() + 24) != static_cast<uint16_t>(PageKind::kBranch)) {
    return Damaged("it is of no known kind");
  }
  if (view.count() == 0) return Damaged("it is empty");
  return CheckBranch(view);
}

Result<void> CheckOrder(PageView page, const NameHash& hash) {
  if (page.IsLeaf()) return LeafView(page, hash).CheckOrder();
  return BranchView(page).CheckOrder();
}

}  // namespace kvfs::format
