// One buffer, from whose front lines are taken.

#include "cli/transfer/line_reader.h"

#include <fmt/format.h>

namespace kvfs::cli {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

}  // namespace

// Appends more bytes to the buffer.
Result<void> LineReader::Fill() {
  buffer_.erase(0, std::exchange(begin_, 0));
  const size_t kept = buffer_.size();
  buffer_.resize(kept + kPieceBytes);
  auto count = source_(std::as_writable_bytes(std::span(buffer_).subspan(kept)));
  buffer_.resize(kept + (count ? *count : 0));
  if (!count) return tl::unexpected(std::move(count).error());
  has_ended_ = *count == 0;
  return {};
}

// Skips to after the next newline, or to the end.
Result<void> LineReader::PassLine() {
  while (true) {
    const size_t newline = buffer_.find('\n', begin_);
    begin_ = newline == std::string::npos ? buffer_.size() : newline + 1;
    if (newline != std::string::npos || has_ended_) return {};
    KVFS_TRY(Fill());
  }
}

Result<std::optional<std::string_view>> LineReader::Next() {
  if (std::exchange(is_too_long_, false)) KVFS_TRY(PassLine());
  size_t searched = begin_;
  ++number_;
  while (true) {
    const size_t newline = buffer_.find('\n', searched);
    if (newline != std::string::npos) {
      const auto line = std::string_view(buffer_).substr(begin_, newline - begin_);
      begin_ = newline + 1;
      return line;
    }
    if (has_ended_) {
      const auto line = std::string_view(buffer_).substr(begin_);
      begin_ = buffer_.size();
      if (line.empty()) return std::optional<std::string_view>();
      return line;
    }
    if (buffer_.size() - begin_ > max_bytes_) {
      is_too_long_ = true;
      return Fail(ErrorCode::kTooLarge, fmt::format("it has more than {} bytes", max_bytes_));
    }
    const size_t known = buffer_.size() - begin_;
    KVFS_TRY(Fill());
    searched = known;
  }
}

}  // namespace kvfs::cli
