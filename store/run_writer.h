// Gathers neighbouring pages or blocks into long writes: a system call a MiB and not one a page.
#pragma once

#include <cstdint>
#include <vector>

#include "store/env/env.h"

namespace kvfs {

class RunWriter {
 public:
  explicit RunWriter(File* file) : file_(file) {}

  // Takes `size` bytes that belong at `offset`, and returns where to put them; they are written
  // when the run ends, at the latest by Flush. Cheapest in ascending order.
  Result<std::byte*> Add(uint64_t offset, size_t size);
  Result<void> Flush();

 private:
  static constexpr size_t kMaxRunBytes = size_t{1} << 20;

  File* file_;
  uint64_t begin_ = 0;
  std::vector<std::byte> run_;
};

}  // namespace kvfs
