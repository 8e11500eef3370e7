// Gathers neighbouring pages or blocks into long writes: one system call for 2 MiB instead of one
// for each page.
//
// A run ends at a multiple of 2 MiB, the size of a huge page. The kernel may then cache the file in
// large folios and map them as such (Linux 6.18 on ext4 does), which saves TLB misses in random
// reads of a tree's pages.
#pragma once

#include <cstdint>
#include <vector>

#include <kvfs/env.h>

namespace kvfs {

class CoalescingWriter {
 public:
  explicit CoalescingWriter(File* file) : file_(file) {}

  // Returns a buffer for the `size` bytes at `offset`, for the caller to fill; they are written
  // when the run ends, by Flush at the latest. Cheapest in ascending order. `size` is a power of
  // two, at most 2 MiB, and divides `offset`.
  Result<std::byte*> Add(uint64_t offset, size_t size);
  // The same, but only the first `head_bytes` are written, as the rest of the file there is zeros
  // already, unless WriteWhole is called before the next Add.
  Result<std::byte*> AddHead(uint64_t offset, size_t size, size_t head_bytes);
  void WriteWhole() { head_bytes_ = 0; }
  Result<void> Flush();

 private:
  static constexpr uint64_t kRunBytes = uint64_t{2} << 20;

  File* file_;
  uint64_t begin_ = 0;
  size_t head_bytes_ = 0;  // not 0: bytes to write of the only item in the run
  std::vector<std::byte> run_;
};

}  // namespace kvfs
