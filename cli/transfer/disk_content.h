// The content of an open file on disk, without its holes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <kvfs/status.h>
#include "cli/base/descriptor.h"
#include "fs/content_source.h"

namespace kvfs::cli {

// Reads piece by piece, as a fs::ContentSource. Errors name the file as `shown`.
class DiskContent {
 public:
  DiskContent(std::shared_ptr<const Descriptor> file, std::string shown, bool may_have_holes)
      : file_(std::move(file)), shown_(std::move(shown)), may_have_holes_(may_have_holes) {}

  Result<fs::ContentPiece> operator()(MutableBytes buffer);
  // All of it, into memory: `size` bytes are expected.
  Result<std::string> ReadWhole(uint64_t size);

 private:
  Result<uint64_t> PassHole();
  uint64_t StopLooking();

  const std::shared_ptr<const Descriptor> file_;
  const std::string shown_;
  bool may_have_holes_;
  uint64_t at_ = 0;
  uint64_t data_end_ = may_have_holes_ ? 0 : UINT64_MAX;
};

}  // namespace kvfs::cli
