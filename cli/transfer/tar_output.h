// The bytes of a tar archive on their way out: filled up to blocks, and written in large pieces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/client/keys.h"

namespace kvfs::cli {

class TarOutput {
 public:
  explicit TarOutput(ByteSink out);

  Result<void> Write(std::string_view bytes);
  // The same, filled up to a block.
  Result<void> WritePadded(std::string_view bytes);
  Result<void> WriteZeros(uint64_t count);
  // Writes the mark of the archive's end, filled up to tar's unit of writing.
  Result<void> Finish();

 private:
  Result<void> Flush();

  const ByteSink out_;
  std::string held_;
  uint64_t written_ = 0;
};

}  // namespace kvfs::cli
