// A page as a tree reads it: mapped, with a correct checksum, and with parts that the disk may fail
// to deliver later, which then read as zeros.
#pragma once

#include <algorithm>

#include "store/format/page.h"
#include "tests/fuzz/target.h"

namespace kvfs::fuzz {

class MappedPage {
 public:
  static constexpr size_t kBytes = 8192;

  // The input without its checksum, padded with zeros.
  explicit MappedPage(Bytes input)
      : bytes_(Resized(input.first(std::min(input.size(), kBytes)), kBytes)) {
    format::SealPage(bytes_, kSeed);
  }

  format::PageView view() const { return {bytes_.data(), kBytes}; }
  bool Check() const { return format::CheckPage(bytes_, kSeed, view().self()).has_value(); }

  // Calls `visit` with each page of memory lost in turn.
  template <typename Visit>
  void ForEachLostPart(Visit visit) {
    constexpr size_t kPart = 4096;
    const Input whole = bytes_;
    for (size_t part = 0; part < kBytes; part += kPart) {
      std::ranges::fill(MutableBytes(bytes_).subspan(part, kPart), std::byte{0});
      visit();
      std::ranges::copy(whole, bytes_.begin());
    }
  }

 private:
  static constexpr uint64_t kSeed = 11;

  Input bytes_;  // never reallocated
};

}  // namespace kvfs::fuzz
