// Bytes before the patch come from the file.
#include "store/engine/patched_file.h"

namespace kvfs {

Result<uint64_t> PatchedFile::PatchBegin() const {
  if (file_ == nullptr) return uint64_t{0};
  KVFS_ASSIGN(const uint64_t size, file_->SizeBytes());
  const uint64_t window = file_->ViewWindowBytes();
  return (size + window - 1) / window * window;
}

Result<void> PatchedFile::Read(uint64_t offset, MutableBytes out) const {
  if (file_ == nullptr) return Missing();
  return file_->Read(offset, out);
}

Result<const std::byte*> PatchedFile::View(uint64_t offset, uint64_t length) const {
  KVFS_ASSIGN(const uint64_t begin, PatchBegin());
  if (offset < begin) return file_->View(offset, length);
  const uint64_t within = offset - begin;
  if (within > patch_.size() || length > patch_.size() - within) return Missing();
  return patch_.data() + within;
}

Result<void> PatchedFile::RefreshView(uint64_t offset, uint64_t length) const {
  KVFS_ASSIGN(const uint64_t begin, PatchBegin());
  if (offset < begin && file_ != nullptr) return file_->RefreshView(offset, length);
  return View(offset, length).map([](const std::byte*) {});
}

// The patch does not count: nothing searches it for pages.
Result<uint64_t> PatchedFile::SizeBytes() const {
  return file_ == nullptr ? Result<uint64_t>(0) : file_->SizeBytes();
}

Result<uint64_t> PatchedFile::AllocatedBytes() const {
  return file_ == nullptr ? Result<uint64_t>(0) : file_->AllocatedBytes();
}

uint64_t PatchedFile::ViewWindowBytes() const {
  constexpr uint64_t kAny = uint64_t{1} << 30;
  return file_ == nullptr ? kAny : file_->ViewWindowBytes();
}

}  // namespace kvfs
