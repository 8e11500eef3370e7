// Reads lines of bounded length from a byte stream.
#pragma once

#include <optional>
#include <string>

#include "cli/client/keys.h"

namespace kvfs::cli {

class LineReader {
 public:
  LineReader(ByteSource source, size_t max_bytes)
      : source_(std::move(source)), max_bytes_(max_bytes) {}

  // The next line without its newline; nothing at the end. The last line may lack a newline.
  // kTooLarge for a line above the limit, which the next call skips; errors of the source. Valid
  // until the next call.
  Result<std::optional<std::string_view>> Next();
  // Number of the line that Next returned last; the first is 1.
  uint64_t number() const { return number_; }

 private:
  Result<void> Fill();
  Result<void> PassLine();

  ByteSource source_;
  const size_t max_bytes_;
  std::string buffer_;
  size_t begin_ = 0;  // of what Next has not returned yet
  bool has_ended_ = false;
  bool is_too_long_ = false;  // the buffer holds the middle of an overlong line
  uint64_t number_ = 0;
};

}  // namespace kvfs::cli
