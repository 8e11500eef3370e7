// One page of a listing: as many entries as its limit allows, without splitting a run of entries
// that share an offset, since the next page can only begin after all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fs/inode_info.h"

namespace kvfs::fs {

// One name of a listing.
struct DirectoryEntry {
  std::string name;
  // Where the listing continues after this entry.
  uint64_t next_offset = 0;
  // For "..", and in a plain listing for all, only the number and the type in attributes.mode are
  // set. The type is 0 if the entry is damaged.
  InodeInfo inode;

  // Whether FileSystem::ListDirectoryPlus adds a reference for it.
  bool IsReferable() const { return name != "." && name != ".." && inode.attributes.mode != 0; }
};

// How much of a listing a call returns: entries whose sizes add up to at most `bytes`.
struct PageLimit {
  size_t bytes = 0;
  // Size of an entry with a name of `name_bytes` bytes.
  size_t (*entry_bytes)(size_t name_bytes) = nullptr;
};

class ListingPage {
 public:
  explicit ListingPage(const PageLimit& limit) : limit_(limit) {}

  // Appends an entry. Returns false, and from then on always, if it does not fit; earlier entries
  // that share its offset are then removed as well, unless they fill the page alone.
  bool Add(std::string_view name, uint64_t next_offset, const InodeInfo& inode);

  std::vector<DirectoryEntry> Take() { return std::move(entries_); }

 private:
  PageLimit limit_;
  std::vector<DirectoryEntry> entries_;
  size_t used_bytes_ = 0;
  size_t run_begin_ = 0;  // INVARIANT: entries from here on share the last one's offset
};

}  // namespace kvfs::fs
