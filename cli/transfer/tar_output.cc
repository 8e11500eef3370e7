// Nothing is written before a piece is full, or the archive ends.

#include "cli/transfer/tar_output.h"

#include <algorithm>
#include <utility>

#include "cli/transfer/tar_header_block.h"
#include "cli/transfer/transfer.h"

namespace kvfs::cli {
namespace {

constexpr size_t kRecordBytes = 10240;  // the unit of writing, as in tar(1)

}  // namespace

TarOutput::TarOutput(ByteSink out) : out_(std::move(out)) {}

Result<void> TarOutput::WriteZeros(uint64_t count) {
  const std::string zeros(std::min<uint64_t>(count, kLargeContentBytes), '\0');
  for (; count > 0; count -= std::min<uint64_t>(count, zeros.size())) {
    KVFS_TRY(Write(std::string_view(zeros).substr(0, count)));
  }
  return {};
}

Result<void> TarOutput::WritePadded(std::string_view bytes) {
  KVFS_TRY(Write(bytes));
  return WriteZeros((kTarBlockBytes - bytes.size() % kTarBlockBytes) % kTarBlockBytes);
}

Result<void> TarOutput::Write(std::string_view bytes) {
  held_ += bytes;
  return held_.size() < kLargeContentBytes ? Result<void>() : Flush();
}

Result<void> TarOutput::Finish() {
  const uint64_t end = written_ + held_.size() + 2 * kTarBlockBytes;
  const uint64_t padded = (end + kRecordBytes - 1) / kRecordBytes * kRecordBytes;
  held_.resize(padded - written_, '\0');
  return Flush();
}

Result<void> TarOutput::Flush() {
  const std::string full = std::exchange(held_, {});
  written_ += full.size();
  return out_(AsBytes(full));
}

}  // namespace kvfs::cli
