// An entry under change: decoded, with memory of its own.
#pragma once

#include <string>
#include <vector>

#include "store/format/entry.h"

namespace kvfs {

struct MutableEntry {
  uint64_t id = 0;
  uint64_t size = 0;
  std::string meta;
  std::vector<std::byte> tail;
  format::BlockPointer direct[format::kDirectBlocks];  // if the shape is direct
  uint64_t content = 0;                                // content id, if it is not
  uint64_t allocated = 0;                              // non-hole blocks, if it is not

  static MutableEntry Of(const format::Entry& entry, uint32_t inline_limit);
  std::vector<std::byte> Encode(uint32_t inline_limit) const;
};

}  // namespace kvfs
