// Addresses of a mapped file's parts, remembered so that finding one takes a load and an addition.
//
// Threads: safe from many.
#pragma once

#include <array>
#include <atomic>

#include <kvfs/env.h>

namespace kvfs {

// What a look at bytes through a view has come to, where it has failed: whether the bytes may be
// sound all the same, so that File::RefreshView is to be asked. A view may have failed for a
// moment, and may show zeros in place of what the disk could not deliver.
inline bool MayBeHidden(const Error& error, const File& file) {
  return error.code == ErrorCode::kIo ||
         (error.code == ErrorCode::kCorrupt && file.ViewFaults() > 0);
}

// So many times what has been read from pages is read again because the disk failed to deliver one
// of them meanwhile. Each such page is found out once.
inline constexpr int kMostLooks = 8;

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
