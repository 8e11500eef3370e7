// One page of a listing: as many entries as its limit allows, without cutting a run of entries that
// share an offset, since the next page can only begin after all of them.
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
  // Where the listing goes on after this entry.
  uint64_t next_offset = 0;
  // Of "..", and in a plain listing of all, only the number and the type in attributes.mode are
  // filled in. No type where the entry is damaged.
  InodeInfo inode;

  // Whether FileSystem::ListDirectoryPlus adds a reference for it.
  bool IsReferable() const { return name != "." && name != ".." && inode.attributes.mode != 0; }
};

// How much of a listing a call returns: entries whose sizes add up to at most `bytes`.
struct PageLimit {
  size_t bytes = 0;
  // Size of an entry whose name has this many bytes.
  size_t (*entry_bytes)(size_t name_bytes) = nullptr;
};

class ListingPage {
 public:
  explicit ListingPage(const PageLimit& limit) : limit_(limit) {}

  // Adds an entry behind all others. Returns false, once and for all, if it does not fit; then
  // those before it that share its offset leave as well, unless they have the page to themselves.
  bool Add(std::string_view name, uint64_t next_offset, const InodeInfo& inode);

  std::vector<DirectoryEntry> Take() { return std::move(entries_); }

 private:
  PageLimit limit_;
  std::vector<DirectoryEntry> entries_;
  size_t used_bytes_ = 0;
  size_t run_begin_ = 0;  // INVARIANT: entries from here on share the last one's offset
};

}  // namespace kvfs::fs
