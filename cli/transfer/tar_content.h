// The content of a tar entry, as libarchive returns it.
#pragma once

#include <archive.h>

#include <cstdint>
#include <string>

#include <kvfs/bytes.h>
#include <kvfs/status.h>
#include "fs/content_source.h"

namespace kvfs::cli {

// The content of the current entry, in blocks with offsets; gaps are holes. Fails with kInvalid if
// the archive ends before the content does.
class TarContent {
 public:
  TarContent(archive* reader, std::string path, uint64_t size)
      : reader_(reader), path_(std::move(path)), size_(size) {}

  // Reads piece by piece, as a fs::ContentSource.
  Result<fs::ContentPiece> operator()(MutableBytes buffer);
  // All of it, into memory.
  Result<std::string> ReadWhole();

 private:
  Result<void> NextBlock();

  archive* const reader_;
  const std::string path_;
  const uint64_t size_;
  uint64_t at_ = 0;  // bytes returned so far
  Bytes block_;
  uint64_t block_begin_ = 0;
  bool has_ended_ = false;
};

// The error that libarchive reports.
tl::unexpected<Error> FailOfArchive(archive* archive, std::string_view doing);

}  // namespace kvfs::cli
