// One buffer, from whose front lines are taken.

#include "cli/line_reader.h"

#include <fmt/format.h>

namespace kvfs::cli {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

}  // namespace

Result<std::optional<std::string_view>> LineReader::Next() {
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
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("line {} has more than {} bytes", number_, max_bytes_));
    }
    buffer_.erase(0, std::exchange(begin_, 0));
    searched = buffer_.size();
    buffer_.resize(searched + kPieceBytes);
    KVFS_ASSIGN(const size_t count,
                source_(std::as_writable_bytes(std::span(buffer_).subspan(searched))));
    buffer_.resize(searched + count);
    has_ended_ = count == 0;
  }
}

}  // namespace kvfs::cli
