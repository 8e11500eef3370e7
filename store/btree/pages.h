// The pages of one shard, in its mapped keys file: verified at first access and again from time to
// time (checksum_cache.h).
//
// A page is written once, by a checkpoint (tree_writer.h), and never changed; its number is reused
// only when no reader can reach it any more (block_allocator.h). So reading needs no lock, and a
// view does not change while the reader keeps the tree version that led to it (shard.h).
//
// Threads: safe from many.
#pragma once

#include <functional>
#include <string>

#include <kvfs/env.h>
#include "store/alloc/checksum_cache.h"
#include "store/alloc/file_view.h"
#include "store/format/branch.h"
#include "store/format/leaf.h"
#include "store/format/name_hash.h"

namespace kvfs {

struct PagesConfig {
  uint32_t page_bytes = 0;
  uint64_t checksum_seed = 0;
  format::NameHash hash;
  std::string name;  // of the file, for messages
  std::function<void(std::string_view)> log;
  const Env* env = nullptr;  // its clock tells when to verify again; null: time stands still
};

class Pages {
 public:
  // `file` must outlive the pages.
  Pages(File* file, PagesConfig config) : file_(file), config_(std::move(config)), view_(file) {}

  uint32_t page_bytes() const { return config_.page_bytes; }
  uint64_t checksum_seed() const { return config_.checksum_seed; }
  const format::NameHash& hash() const { return config_.hash; }
  File& file() const { return *file_; }

  // Called once a search.
  uint64_t Seconds() const { return config_.env == nullptr ? 0 : config_.env->Seconds(); }
  // kCorrupt, and a log line, if the page is damaged, or the disk cannot deliver it; other codes
  // mean a failure of this process, and say nothing about the page. `now` is from Seconds().
  Result<format::PageView> Read(format::PagePointer page, uint64_t now) const {
    const ChecksumCache::Moment moment{now, view_.faults()};
    if (verified_.Contains(page.number, page.epoch, moment)) {
      const std::byte* bytes = view_.Known(page.number * config_.page_bytes);
      if (bytes != nullptr) return format::PageView(bytes, config_.page_bytes);
    }
    return Verify(page, moment);
  }
  Result<format::PageView> Read(format::PagePointer page) const { return Read(page, Seconds()); }
  // The same, but always verifies the page: for callers that derive something durable from it.
  Result<format::PageView> Check(format::PagePointer page) const {
    return Verify(page, {Seconds(), view_.faults()});
  }
  // The same, in a private copy in `copy`, of page_bytes(): for callers that use a page again after
  // reading others.
  Result<format::PageView> CheckCopy(format::PagePointer page, MutableBytes copy) const {
    return Verify(page, {Seconds(), view_.faults()}, copy);
  }
  // Prefetches the parts of a leaf that a search for `key` will need first.
  void Prefetch(const format::BranchView& branch, uint32_t index,
                const format::RecordKey& key) const;
  format::LeafView AsLeaf(format::PageView page) const { return {page, config_.hash}; }

 private:
  // In `copy`, if it is not empty; otherwise in the mapping.
  Result<format::PageView> Verify(format::PagePointer page, ChecksumCache::Moment moment,
                                  MutableBytes copy = {}) const;
  Result<format::PageView> Look(format::PagePointer page, MutableBytes copy) const;

  File* file_;
  const PagesConfig config_;
  const FileView view_;
  ChecksumCache verified_;
};

}  // namespace kvfs
