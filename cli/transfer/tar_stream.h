// Feeds a tar archive to libarchive: a first reader decompresses (except gzip: see
// cli/transfer/gzip_source.h), and a second one reads the result. Between them the last bytes are
// kept, so that an entry's headers, and the bytes after the archive's end, can be examined again.
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

// Offsets are in the uncompressed archive.
struct TarEnd {
  uint64_t at;
  bool has_mark;                    // there is a block of zeros
  std::optional<uint64_t> more_at;  // the first nonzero byte after the end
};

// Not movable: libarchive holds a pointer to it.
class TarStream {
 public:
  explicit TarStream(const ByteSource& source) : source_(FromMaybeGzip(source)) {}
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;

  // kInvalid if it is not a tar archive.
  Result<void> Open();
  // Returns the entries.
  archive* reader() const { return entries_.get(); }
  // The error of the source, independent of libarchive's.
  const Result<void>& failed() const { return failed_; }

  // Offset of the current entry's headers, or where they would be; and the current read position.
  uint64_t HeaderBegin() const;
  uint64_t Position() const;
  // The current entry's headers. Call it once for each entry, before reading its content. kInvalid
  // if they exceed the kept bytes.
  Result<TarHeaders> Headers();
  // After the last entry. Reads to the end, or to the first nonzero byte.
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
  uint64_t kept_begin_ = 0;  // their offset
  Reader plain_;             // decompresses
  Reader entries_;           // reads from plain_
};

}  // namespace kvfs::cli
