// The first two bytes decide; zlib does the rest, one stream after another.

#include "cli/transfer/gzip_source.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace kvfs::cli {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 18;
constexpr int kGzipOnly = 15 + 16;  // the largest window, and no other header
constexpr size_t kMagicBytes = 2;

class GzipReader {
 public:
  explicit GzipReader(ByteSource source) : source_(std::move(source)) {}
  ~GzipReader() {
    if (is_gzip_) ::inflateEnd(&stream_);
  }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  Result<size_t> Read(MutableBytes out) {
    if (!has_begun_) KVFS_TRY(Begin());
    if (is_gzip_) return Inflate(out);
    if (rest_.empty()) return source_(out);
    const size_t count = std::min(out.size(), rest_.size());
    CopyBytes(out.data(), rest_.first(count));
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  Result<void> Begin() {
    has_begun_ = true;
    size_t filled = 0;
    while (filled < kMagicBytes) {
      KVFS_ASSIGN(const size_t count, source_(MutableBytes(buffer_).subspan(filled)));
      if (count == 0) break;
      filled += count;
    }
    rest_ = Bytes(buffer_).first(filled);
    if (filled < kMagicBytes || rest_[0] != std::byte{0x1f} || rest_[1] != std::byte{0x8b}) {
      return {};
    }
    is_gzip_ = ::inflateInit2(&stream_, kGzipOnly) == Z_OK;
    return is_gzip_ ? Result<void>() : Fail(ErrorCode::kUnavailable, "out of memory");
  }

  // More compressed bytes, unless there are some left. None at the end.
  Result<void> Fill() {
    if (!rest_.empty()) return {};
    KVFS_ASSIGN(const size_t count, source_(buffer_));
    rest_ = Bytes(buffer_).first(count);
    return {};
  }

  Result<size_t> Inflate(MutableBytes out) {
    while (true) {
      KVFS_TRY(Fill());
      if (!is_within_) {
        rest_ = rest_.subspan(CountZeros());
        KVFS_TRY(Fill());
        if (rest_.empty()) return 0;
        if (rest_.front() == std::byte{0}) continue;
        is_within_ = true;
      }
      if (rest_.empty()) return Damaged("it ends early");
      KVFS_ASSIGN(const size_t count, InflateSome(out));
      if (count > 0) return count;
    }
  }

  size_t CountZeros() const {
    const auto other = std::ranges::find_if(rest_, [](std::byte b) { return b != std::byte{0}; });
    return static_cast<size_t>(other - rest_.begin());
  }

  Result<size_t> InflateSome(MutableBytes out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));
    stream_.avail_in = static_cast<uInt>(rest_.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min(out.size(), kBufferBytes));
    const uInt room = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    rest_ = rest_.last(stream_.avail_in);
    if (result == Z_MEM_ERROR) return Fail(ErrorCode::kUnavailable, "out of memory");
    if (result != Z_OK && result != Z_STREAM_END) {
      return Damaged(stream_.msg == nullptr ? "it is malformed" : stream_.msg);
    }
    if (result == Z_STREAM_END) {
      is_within_ = false;
      ::inflateReset(&stream_);
    }
    return room - stream_.avail_out;
  }

  static tl::unexpected<Error> Damaged(std::string_view reason) {
    return Fail(ErrorCode::kInvalid, fmt::format("the gzip stream is damaged: {}", reason));
  }

  const ByteSource source_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBufferBytes);
  Bytes rest_;  // of the buffer
  bool has_begun_ = false;
  bool is_gzip_ = false;
  bool is_within_ = false;  // a stream; or else between two
  z_stream stream_{};
};

}  // namespace

ByteSource FromMaybeGzip(ByteSource source) {
  return [reader = std::make_shared<GzipReader>(std::move(source))](MutableBytes buffer) {
    return reader->Read(buffer);
  };
}

}  // namespace kvfs::cli
