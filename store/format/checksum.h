// The one checksum of the store: XXH3, 64 bits, seeded.
//
// It guards against damage, not against an attacker: a file made on purpose can carry right
// checksums. Whoever decodes checked bytes must still check that they make sense.
#pragma once

#include <cstdint>

#include <kvfs/bytes.h>

namespace kvfs::format {

// XXH3-64 of `bytes` (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md). The seed ties the
// bytes to their place, so that right bytes in a wrong place fail.
uint64_t Checksum(Bytes bytes, uint64_t seed);

}  // namespace kvfs::format
