// Holes are found with lseek(2), where the file system supports it.

#include "cli/transfer/disk_content.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "cli/base/interruption.h"
#include "cli/transfer/disk_status.h"

namespace kvfs::cli {

Result<fs::ContentPiece> DiskContent::operator()(MutableBytes buffer) {
  KVFS_ASSIGN(const uint64_t hole, PassHole());
  while (true) {
    const size_t wanted = std::min<uint64_t>(buffer.size(), data_end_ - at_);
    const ssize_t count = ::pread(file_->number(), buffer.data(), wanted, static_cast<off_t>(at_));
    if (count >= 0) {
      at_ += static_cast<uint64_t>(count);
      return fs::ContentPiece{hole, static_cast<size_t>(count)};
    }
    if (errno != EINTR) return FailNaming(shown_);
    KVFS_TRY(CheckNotInterrupted());
  }
}

// Reading one byte more than expected detects the end with one read.
Result<std::string> DiskContent::ReadWhole(uint64_t size) {
  std::string data;
  size_t filled = 0;
  data.resize(size + 1);
  while (true) {
    KVFS_ASSIGN(const fs::ContentPiece piece,
                (*this)(std::as_writable_bytes(std::span(data).subspan(filled))));
    filled += piece.bytes;
    if (piece.bytes == 0 || filled < data.size()) break;
    data.resize(2 * filled);
  }
  data.resize(filled);
  return data;
}

// Moves to the next data, or to the end; and finds the end of the data.
Result<uint64_t> DiskContent::PassHole() {
  if (!may_have_holes_ || at_ < data_end_) return 0;
  const uint64_t before = at_;
  const off_t data = ::lseek(file_->number(), static_cast<off_t>(at_), SEEK_DATA);
  if (data < 0 && errno != ENXIO) return StopLooking();
  if (data < 0) {
    struct stat status {};
    if (::fstat(file_->number(), &status) != 0) return FailNaming(shown_);
    at_ = data_end_ = std::max(at_, SizeOf(status));
    return at_ - before;
  }
  const off_t hole = ::lseek(file_->number(), data, SEEK_HOLE);
  if (hole < 0) return StopLooking();
  at_ = static_cast<uint64_t>(data);
  data_end_ = static_cast<uint64_t>(hole);
  return at_ - before;
}

// The file system cannot report holes.
uint64_t DiskContent::StopLooking() {
  may_have_holes_ = false;
  data_end_ = UINT64_MAX;
  return 0;
}

}  // namespace kvfs::cli
