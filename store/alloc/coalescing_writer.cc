// One buffer, flushed when the next piece does not follow it, and at multiples of 2 MiB.
#include "store/alloc/coalescing_writer.h"

#include <utility>

namespace kvfs {

Result<std::byte*> CoalescingWriter::Add(uint64_t offset, size_t size) {
  if (offset != begin_ + run_.size() || offset % kRunBytes == 0 || head_bytes_ > 0) {
    KVFS_TRY(Flush());
    begin_ = offset;
  }
  run_.resize(run_.size() + size);
  return run_.data() + run_.size() - size;
}

Result<std::byte*> CoalescingWriter::AddHead(uint64_t offset, size_t size, size_t head_bytes) {
  KVFS_TRY(Flush());
  begin_ = offset;
  head_bytes_ = head_bytes;
  run_.resize(size);
  return run_.data();
}

Result<void> CoalescingWriter::Flush() {
  if (run_.empty()) return {};
  const size_t head_bytes = std::exchange(head_bytes_, 0);
  const Bytes run(run_);
  auto written = file_->Write(begin_, head_bytes > 0 ? run.first(head_bytes) : run);
  run_.clear();
  return written;
}

}  // namespace kvfs
