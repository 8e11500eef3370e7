// Space in the values files that the changes since the newest checkpoint have allocated, and space
// that they have freed, which is dead until the next checkpoint.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <cstdint>

namespace kvfs {

struct SpaceAccount {
  std::atomic<uint64_t> allocated_bytes = 0;
  std::atomic<uint64_t> freed_bytes = 0;

  void Add(uint64_t allocated, uint64_t freed) {
    if (allocated != 0) allocated_bytes += allocated;
    if (freed != 0) freed_bytes += freed;
  }
};

}  // namespace kvfs
