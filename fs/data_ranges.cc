// A block is compared with itself shifted by one byte: if all bytes are equal and the first is
// zero, all are zero.
#include "fs/data_ranges.h"

#include <algorithm>
#include <cstring>

namespace kvfs::fs {
namespace {

constexpr size_t kBlockBytes = 4096;

bool IsZero(Bytes block) {
  return block[0] == std::byte{0} &&
         std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
}

}  // namespace

std::vector<ByteRange> DataRangesOf(Bytes bytes) {
  std::vector<ByteRange> ranges;
  for (size_t at = 0; at < bytes.size(); at += kBlockBytes) {
    const Bytes block = bytes.subspan(at, std::min(kBlockBytes, bytes.size() - at));
    if (IsZero(block)) continue;
    if (!ranges.empty() && ranges.back().offset + ranges.back().length == at) {
      ranges.back().length += block.size();
    } else {
      ranges.push_back({at, block.size()});
    }
  }
  return ranges;
}

}  // namespace kvfs::fs
