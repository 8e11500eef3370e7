// The bytes of a tar archive on their way into libarchive: what is compressed is read by one of its
// readers (but for gzip: see cli/transfer/gzip_source.h), and what comes out by a second one.
// Between them the last bytes are kept, so that the headers of an entry can be looked at again, and
// what stands behind the archive's end.
#pragma once

#include <archive.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/client/keys.h"
#include "cli/transfer/gzip_source.h"
#include "cli/transfer/tar_header_reader.h"

namespace kvfs::cli {

// Places are bytes of the archive as it is without compression.
struct TarEnd {
  uint64_t at;
  bool has_mark;                    // a block of zeros
  std::optional<uint64_t> more_at;  // the first byte behind that is no zero
};

// It does not move: libarchive knows where it is.
class TarStream {
 public:
  explicit TarStream(const ByteSource& source) : source_(FromMaybeGzip(source)) {}
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;

  // kInvalid for what is no tar archive.
  Result<void> Open();
  // Gives entries out.
  archive* reader() const { return entries_.get(); }
  // Of the source, whatever libarchive makes of it.
  const Result<void>& failed() const { return failed_; }

  // Where the headers of the present entry begin, or would; and how far it has been read.
  uint64_t HeaderBegin() const;
  uint64_t Position() const;
  // Those of the present entry, each to be asked for once, before its content. kInvalid if they are
  // more than is kept.
  Result<TarHeaders> Headers();
  // After the last entry. Reads to the end, or to what is no zero.
  Result<TarEnd> FindEnd();

 private:
  struct FreeReader {
    void operator()(archive* reader) const { archive_read_free(reader); }
  };
  using Reader = std::unique_ptr<archive, FreeReader>;

  static la_ssize_t ReadSource(archive* reader, void* self, const void** out);
  static la_ssize_t ReadPlain(archive* reader, void* self, const void** out);
  // More plain bytes; none at the end.
  Result<Bytes> NextPlain();

  const ByteSource source_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(size_t{1} << 20);
  Result<void> failed_ = {};
  TarGlobals globals_;
  std::string kept_;         // the last plain bytes
  uint64_t kept_begin_ = 0;  // their place
  Reader plain_;             // gives out what is compressed
  Reader entries_;           // reads from it
};

}  // namespace kvfs::cli
