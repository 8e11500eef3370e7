// A run that does not fit as a whole is removed again.
#include "fs/listing_page.h"

#include <utility>

namespace kvfs::fs {

bool ListingPage::Add(std::string_view name, uint64_t next_offset, const InodeInfo& inode) {
  const bool continues_run = !entries_.empty() && entries_.back().next_offset == next_offset;
  const size_t bytes = limit_.entry_bytes(name.size());
  if (bytes > limit_.bytes - used_bytes_) {
    if (continues_run && run_begin_ > 0) entries_.resize(run_begin_);
    return false;
  }
  if (!continues_run) run_begin_ = entries_.size();
  used_bytes_ += bytes;
  entries_.push_back({std::string(name), next_offset, inode});
  return true;
}

}  // namespace kvfs::fs
