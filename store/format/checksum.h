// The one checksum of the store: XXH3, 64 bits, seeded.
//
// It guards against damage, not against an attacker: a crafted file can carry correct checksums.
// Decoders of checked bytes must still validate them.
#pragma once

#include <cstdint>

#include <kvfs/bytes.h>

namespace kvfs::format {

// XXH3-64 of `bytes` (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md). The seed ties the
// bytes to their place, so that valid bytes in a wrong place fail.
uint64_t Checksum(Bytes bytes, uint64_t seed);

}  // namespace kvfs::format
