// Gives a tree that is being written its new pages, and keeps the account of what it takes and
// frees.
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
  // Both must outlive the maker. Pages are born in `epoch`, and filled to `fill_percent`.
  PageWriter(File* file, BlockAllocator* space, uint32_t page_bytes, uint64_t epoch,
             uint32_t fill_percent);
  // Gives back all pages, unless TakeAccount was called.
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

  // All pages made are in the file afterwards.
  Result<void> Flush();
  // The pages made stay: from now on they are the caller's.
  void TakeAccount(std::vector<Run>* taken, std::vector<uint64_t>* freed);

 private:
  void EndHead();

  CoalescingWriter file_;
  BlockAllocator* space_;
  const uint32_t page_bytes_;
  const uint64_t epoch_;
  const uint32_t fill_percent_;
  std::vector<Run> taken_;
  Run ready_;
  uint64_t head_ = 0;  // the page being filled, if only its head has room for sure
  MutableBytes head_page_;
  std::vector<uint64_t> freed_;
  int64_t leaves_ = 0;
  int64_t branches_ = 0;
};

}  // namespace kvfs
