// The plain bytes of a stream that may be compressed by gzip.
//
// libarchive (3.6) reads such streams too, but passes over the checksum and the length at the end
// of each: a flipped byte then comes in as data. zlib looks at both. The other formats that
// libarchive reads (bzip2, xz, zstd, lz4, ...) it checks as far as they have checksums.
#pragma once

#include "cli/client/keys.h"

namespace kvfs::cli {

// What does not begin as gzip's streams do passes as it is. Streams one behind the other are one,
// with zeros between and behind them. kInvalid for one that is damaged or ends early; before that,
// what it has of bytes is given out.
ByteSource FromMaybeGzip(ByteSource source);

}  // namespace kvfs::cli
