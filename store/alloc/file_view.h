// A cache of the addresses of a mapped file's windows: a lookup takes a load and an addition.
//
// Threads: safe from many.
#pragma once

#include <array>
#include <atomic>

#include <kvfs/env.h>

namespace kvfs {

// Whether, after a failed read through a view, the bytes on disk may be sound nevertheless, so that
// File::RefreshView is worth a call. A view may fail temporarily, and may show zeros for pages that
// the disk could not deliver.
inline bool MayBeHidden(const Error& error, const File& file) {
  return error.code == ErrorCode::kIo ||
         (error.code == ErrorCode::kCorrupt && file.ViewFaults() > 0);
}

// Maximum number of retries of a read from pages because the disk failed to deliver a page
// meanwhile. Each such page causes one retry.
inline constexpr int kMostLooks = 8;

class FileView {
 public:
  // `file` must outlive the view.
  explicit FileView(const File* file) : file_(file), window_bytes_(file->ViewWindowBytes()) {}

  // Address of the bytes from `offset` to the window's end; null before the first View of that
  // window. Only bytes that some View has covered are known to lie within the file.
  const std::byte* Known(uint64_t offset) const {
    const uint64_t window = offset / window_bytes_;
    if (window >= kWindows) return nullptr;
    const std::byte* begin = windows_[window].load(std::memory_order_relaxed);
    return begin == nullptr ? nullptr : begin + offset % window_bytes_;
  }
  // As File::View.
  Result<const std::byte*> View(uint64_t offset, uint64_t length) const {
    auto bytes = file_->View(offset, length);
    const uint64_t window = offset / window_bytes_;
    if (bytes && window < kWindows) {
      windows_[window].store(*bytes - offset % window_bytes_, std::memory_order_relaxed);
    }
    return bytes;
  }
  uint64_t faults() const { return file_->ViewFaults(); }

 private:
  static constexpr size_t kWindows = 256;

  const File* file_;
  const uint64_t window_bytes_;
  mutable std::array<std::atomic<const std::byte*>, kWindows> windows_{};
};

}  // namespace kvfs
