// Finds the nonzero blocks of some bytes, in the block size of holes: the parts of a sparse content
// that must be stored.
#pragma once

#include <cstdint>
#include <vector>

#include <kvfs/bytes.h>

namespace kvfs::fs {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t length = 0;

  bool operator==(const ByteRange&) const = default;
};

// Runs of blocks that are not all zeros; the last block may be partial. `bytes` begin at a multiple
// of the block size. Offsets count from the beginning of `bytes`.
std::vector<ByteRange> DataRangesOf(Bytes bytes);

}  // namespace kvfs::fs
