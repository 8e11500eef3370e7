// A compact encoding of a row of block pointers; shortest for blocks that are consecutive on disk.
// Pure.
//
//   each: code varint | checksum u64 (of a written block only)
//   code: 0 a hole; else 1 + (zigzag(number - expected) << 1 | unwritten), where `expected` is the
//         number after that of the last block before, or 0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "store/format/pointer.h"
#include "store/format/varint.h"

namespace kvfs::format {

inline constexpr size_t kMaxBlockListItemBytes = kMaxVarintBytes + 8;

// Appends the pointers to `out`.
void AppendBlockList(std::span<const BlockPointer> blocks, std::vector<std::byte>* out);

// Decodes `blocks` from the front of `bytes`; returns the number of bytes consumed, or nothing if
// they are malformed.
std::optional<size_t> DecodeBlockList(Bytes bytes, std::span<BlockPointer> blocks);

}  // namespace kvfs::format
