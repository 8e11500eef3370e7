// The number, attributes and size of an inode.
#pragma once

#include <cstdint>

#include "fs/attributes.h"

namespace kvfs::fs {

// Assigned at creation, never reused while the store exists.
using InodeNumber = uint64_t;

struct InodeInfo {
  InodeNumber number = 0;
  Attributes attributes;
  uint64_t size_bytes = 0;
  uint64_t allocated_bytes = 0;  // on disk; 0 for a small content, which is stored in its entry
  uint64_t version = 0;          // grows with each change; see EntryInfo
};

}  // namespace kvfs::fs
