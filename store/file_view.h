// Addresses of a mapped file's parts, remembered so that finding one takes a load and an addition.
//
// Threads: safe from many.
#pragma once

#include <array>
#include <atomic>

#include "store/env/env.h"

namespace kvfs {

class FileView {
 public:
  // `file` must outlive the view.
  explicit FileView(const File* file) : file_(file), window_bytes_(file->ViewWindowBytes()) {}

  // The bytes at `offset`, up to the window's end; null if nobody has looked there with View
  // before. They lie within the file only if they have been seen there.
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
