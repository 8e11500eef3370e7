// A row of block pointers in few bytes, for the blocks of a content that lie one behind the other
// on the disk as in the content. Pure.
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

// Fills `blocks` from the front of `bytes`; returns how many bytes that were, nothing if they are
// malformed.
std::optional<size_t> DecodeBlockList(Bytes bytes, std::span<BlockPointer> blocks);

}  // namespace kvfs::format
