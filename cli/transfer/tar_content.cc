// Blocks of libarchive, cut to the size of the caller's buffer.

#include "cli/transfer/tar_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace kvfs::cli {

Result<fs::ContentPiece> TarContent::operator()(MutableBytes buffer) {
  if (block_.empty() && !has_ended_) KVFS_TRY(NextBlock());
  const uint64_t hole = block_begin_ - at_;
  const size_t count = std::min(buffer.size(), block_.size());
  CopyBytes(buffer.data(), block_.first(count));
  block_ = block_.subspan(count);
  at_ = block_begin_ += count;
  return fs::ContentPiece{hole, count};
}

Result<std::string> TarContent::ReadWhole() {
  std::string data(size_, '\0');
  const MutableBytes whole = std::as_writable_bytes(std::span(data));
  for (size_t at = 0; at < size_;) {
    KVFS_ASSIGN(const fs::ContentPiece piece, (*this)(whole.subspan(at)));
    if (piece.bytes == 0 && piece.hole_bytes == 0) {
      return Fail(ErrorCode::kInvalid, path_ + ": the archive ends in the middle of it");
    }
    if (piece.hole_bytes + piece.bytes > size_ - at) {
      return Fail(ErrorCode::kInvalid, path_ + ": it has more bytes than its header says");
    }
    // The bytes were placed at the beginning of the hole.
    std::memmove(whole.data() + at + piece.hole_bytes, whole.data() + at, piece.bytes);
    std::memset(whole.data() + at, 0, piece.hole_bytes);
    at += piece.hole_bytes + piece.bytes;
  }
  return data;
}

// At the end of the content, which may be a hole, an empty block.
Result<void> TarContent::NextBlock() {
  const void* bytes = nullptr;
  size_t length = 0;
  la_int64_t offset = 0;
  do {
    const int result = archive_read_data_block(reader_, &bytes, &length, &offset);
    if (result < ARCHIVE_WARN) return FailOfArchive(reader_, path_);
    has_ended_ = result == ARCHIVE_EOF;
  } while (length == 0 && !has_ended_);
  if (has_ended_) {
    block_begin_ = std::max(size_, at_);
    return {};
  }
  block_ = {static_cast<const std::byte*>(bytes), length};
  block_begin_ = static_cast<uint64_t>(offset);
  if (block_begin_ < at_) return Fail(ErrorCode::kInvalid, path_ + ": its parts overlap");
  return {};
}

tl::unexpected<Error> FailOfArchive(archive* archive, std::string_view doing) {
  const char* const reason = archive_error_string(archive);
  return Fail(ErrorCode::kInvalid,
              fmt::format("{}: {}", doing, reason == nullptr ? "unknown reason" : reason));
}

}  // namespace kvfs::cli
