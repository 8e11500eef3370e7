// XXH3 as Debian's libxxhash has it.
#include "store/format/checksum.h"

#include <xxhash.h>

namespace kvfs::format {

uint64_t Checksum(Bytes bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace kvfs::format
