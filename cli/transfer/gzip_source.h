// Decompresses a stream, if it is compressed by gzip.
//
// libarchive (3.6) reads such streams too, but ignores the checksum and the length at the end of
// each: a flipped byte would be imported as data. zlib verifies both. libarchive verifies the other
// formats that it reads (bzip2, xz, zstd, lz4, ...), as far as they have checksums.
#pragma once

#include "cli/client/keys.h"

namespace kvfs::cli {

// Other streams pass unchanged. Concatenated gzip streams are one, with zeros allowed between and
// after them. kInvalid if one is damaged or truncated, after its readable bytes have been returned.
ByteSource FromMaybeGzip(ByteSource source);

}  // namespace kvfs::cli
