// Where bytes are not zero, in blocks of the size in which contents have holes: what is worth
// storing of a content that may be sparse.
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

// Runs of blocks, of which none is all zeros; the last block may be a part of one. `bytes` begin at
// a multiple of the block size. Offsets count from the beginning of `bytes`.
std::vector<ByteRange> DataRangesOf(Bytes bytes);

}  // namespace kvfs::fs
