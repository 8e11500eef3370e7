// Allocates the new pages of a tree that is being written, and records the allocated and freed
// pages.
//
// Threads: one at a time.
#pragma once

#include <vector>

#include "store/alloc/block_allocator.h"
#include "store/alloc/coalescing_writer.h"
#include "store/format/page.h"

namespace kvfs {

struct NewPage {
  format::PagePointer self;
  MutableBytes bytes;  // to be filled before the next page is made
};

class PageWriter {
 public:
  // Both must outlive the writer. Pages are born in `epoch`, and filled to `fill_percent`.
  PageWriter(File* file, BlockAllocator* space, uint32_t page_bytes, uint64_t epoch,
             uint32_t fill_percent);
  // Releases all new pages, unless TakeAccount was called.
  ~PageWriter();
  PageWriter(const PageWriter&) = delete;
  PageWriter& operator=(const PageWriter&) = delete;

  uint32_t capacity() const { return format::PageCapacityBytes(page_bytes_); }
  uint32_t target() const { return capacity() / 100 * fill_percent_; }

  // kNoSpace if the disk is full.
  Result<NewPage> Make(bool is_leaf);
  void Free(format::PagePointer page) { freed_.push_back(page.number); }
  void CountPage(bool is_leaf, int64_t change) { (is_leaf ? leaves_ : branches_) += change; }
  int64_t leaves() const { return leaves_; }
  int64_t branches() const { return branches_; }

  // Writes all new pages to the file.
  Result<void> Flush();
  // Transfers ownership of the new pages to the caller, with the list of freed ones.
  void TakeAccount(std::vector<Run>* allocated, std::vector<uint64_t>* freed);

 private:
  void EndHead();

  CoalescingWriter file_;
  BlockAllocator* space_;
  const uint32_t page_bytes_;
  const uint64_t epoch_;
  const uint32_t fill_percent_;
  std::vector<Run> allocated_;
  Run pinned_;
  uint64_t head_ = 0;  // the page being filled, if only its head is known to have disk space
  MutableBytes head_page_;
  std::vector<uint64_t> freed_;
  int64_t leaves_ = 0;
  int64_t branches_ = 0;
};

}  // namespace kvfs
