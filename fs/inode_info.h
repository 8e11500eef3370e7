// What is known of an inode: its number, attributes and size.
#pragma once

#include <cstdint>

#include "fs/attributes.h"

namespace kvfs::fs {

// Given at creation, never used again while the store lives.
using InodeNumber = uint64_t;

struct InodeInfo {
  InodeNumber number = 0;
  Attributes attributes;
  uint64_t size_bytes = 0;
  uint64_t allocated_bytes = 0;  // on disk; a small content lies in its entry and takes none
  uint64_t version = 0;          // grows with each change; see EntryInfo
};

}  // namespace kvfs::fs
