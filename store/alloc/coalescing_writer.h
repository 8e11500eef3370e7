// Gathers neighbouring pages or blocks into long writes: a system call for 2 MiB and not one a
// page.
//
// A run ends where a large page of memory would. What is written so, the kernel may keep in large
// pages of its cache, and map as such (Linux 6.18 on ext4 does): looking here and there at a tree's
// pages then costs less translation of addresses.
#pragma once

#include <cstdint>
#include <vector>

#include <kvfs/env.h>

namespace kvfs {

class CoalescingWriter {
 public:
  explicit CoalescingWriter(File* file) : file_(file) {}

  // Takes `size` bytes that belong at `offset`, and returns where to put them; they are written
  // when the run ends, at the latest by Flush. Cheapest in ascending order. `size` is a power of
  // two, at most 2 MiB, and divides the offset.
  Result<std::byte*> Add(uint64_t offset, size_t size);
  // The same for one of which only the first `head_bytes` are to be written, as the rest is zeros
  // there already, unless WriteWhole is called before the next.
  Result<std::byte*> AddHead(uint64_t offset, size_t size, size_t head_bytes);
  void WriteWhole() { head_bytes_ = 0; }
  Result<void> Flush();

 private:
  static constexpr uint64_t kRunBytes = uint64_t{2} << 20;

  File* file_;
  uint64_t begin_ = 0;
  size_t head_bytes_ = 0;  // not 0: of what there is, which stands alone
  std::vector<std::byte> run_;
};

}  // namespace kvfs
