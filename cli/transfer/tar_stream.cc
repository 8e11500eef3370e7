// Two libarchive readers in a chain.

#include "cli/transfer/tar_stream.h"

#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>

namespace kvfs::cli {
namespace {

constexpr size_t kBlockBytes = 512;
// libarchive accepts several headers of 1 MiB for one entry.
constexpr size_t kKeptBytes = size_t{8} << 20;

tl::unexpected<Error> FailOf(archive* reader) {
  const char* const reason = archive_error_string(reader);
  return Fail(ErrorCode::kInvalid, reason == nullptr ? "unknown reason" : reason);
}

}  // namespace

la_ssize_t TarStream::ReadSource(archive*, void* self, const void** out) {
  TarStream& stream = *static_cast<TarStream*>(self);
  *out = stream.buffer_.data();
  const auto count = stream.source_(stream.buffer_);
  if (count) return static_cast<la_ssize_t>(*count);
  stream.failed_ = tl::unexpected(count.error());
  return -1;
}

Result<Bytes> TarStream::NextPlain() {
  const void* bytes = nullptr;
  size_t length = 0;
  la_int64_t offset = 0;
  const int result = archive_read_data_block(plain_.get(), &bytes, &length, &offset);
  if (result == ARCHIVE_EOF) return Bytes();
  if (result < ARCHIVE_WARN) {
    if (failed_) failed_ = FailOf(plain_.get());
    return tl::unexpected(failed_.error());
  }
  if (kept_.size() > 2 * kKeptBytes) {
    const size_t dropped = kept_.size() - kKeptBytes;
    kept_.erase(0, dropped);
    kept_begin_ += dropped;
  }
  kept_.append(static_cast<const char*>(bytes), length);
  return Bytes(static_cast<const std::byte*>(bytes), length);
}

la_ssize_t TarStream::ReadPlain(archive*, void* self, const void** out) {
  const auto piece = static_cast<TarStream*>(self)->NextPlain();
  if (!piece) return -1;
  *out = piece->data();
  return static_cast<la_ssize_t>(piece->size());
}

Result<void> TarStream::Open() {
  plain_.reset(archive_read_new());
  archive_read_support_filter_all(plain_.get());
  archive_read_support_format_raw(plain_.get());
  archive_read_support_format_empty(plain_.get());
  archive_entry* whole = nullptr;
  if (archive_read_open(plain_.get(), this, nullptr, ReadSource, nullptr) != ARCHIVE_OK) {
    return FailOf(plain_.get());
  }
  const int found = archive_read_next_header(plain_.get(), &whole);
  if (found == ARCHIVE_EOF)
    return Fail(ErrorCode::kInvalid, "it is empty, and so not a tar archive");
  if (found < ARCHIVE_WARN) return FailOf(plain_.get());
  entries_.reset(archive_read_new());
  archive_read_support_format_tar(entries_.get());
  if (archive_read_open(entries_.get(), this, nullptr, ReadPlain, nullptr) == ARCHIVE_OK) return {};
  return Fail(ErrorCode::kInvalid,
              fmt::format("it is not a tar archive: {}", FailOf(entries_.get()).value().message));
}

uint64_t TarStream::HeaderBegin() const {
  return static_cast<uint64_t>(archive_read_header_position(entries_.get()));
}

uint64_t TarStream::Position() const {
  return static_cast<uint64_t>(archive_filter_bytes(entries_.get(), 0));
}

Result<TarHeaders> TarStream::Headers() {
  const uint64_t begin = HeaderBegin();
  const uint64_t end = Position();
  if (begin < kept_begin_ || end > kept_begin_ + kept_.size()) {
    return Fail(ErrorCode::kInvalid, "its headers are larger than can be read");
  }
  const std::string_view kept = kept_;
  return ReadTarHeaders(kept.substr(begin - kept_begin_, end - begin), globals_);
}

Result<TarEnd> TarStream::FindEnd() {
  TarEnd end{HeaderBegin(), false, {}};
  uint64_t at = end.at;
  // First the bytes that libarchive has read ahead, and then the rest.
  while (true) {
    const size_t begin = std::min<uint64_t>(at - std::min(at, kept_begin_), kept_.size());
    const size_t other = kept_.find_first_not_of('\0', begin);
    if (other != std::string::npos) {
      end.more_at = kept_begin_ + other;
      break;
    }
    at = kept_begin_ + kept_.size();
    KVFS_ASSIGN(const Bytes more, NextPlain());
    if (more.empty()) break;
  }
  end.has_mark = at >= end.at + kBlockBytes || end.more_at.value_or(0) >= end.at + kBlockBytes;
  return end;
}

}  // namespace kvfs::cli
