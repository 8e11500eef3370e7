// One buffer, flushed when the next piece does not follow it.
#include "store/run_writer.h"

namespace kvfs {

Result<std::byte*> RunWriter::Add(uint64_t offset, size_t size) {
  if (offset != begin_ + run_.size() || offset % kRunBytes == 0) {
    KVFS_TRY(Flush());
    begin_ = offset;
  }
  run_.resize(run_.size() + size);
  return run_.data() + run_.size() - size;
}

Result<void> RunWriter::Flush() {
  if (run_.empty()) return {};
  auto written = file_->Write(begin_, run_);
  run_.clear();
  return written;
}

}  // namespace kvfs
