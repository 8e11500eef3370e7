// The options of a small store for tests: few and short log segments, a fixed hash seed.
#pragma once

#include <cstdint>

#include <kvfs/options.h>

namespace kvfs {

inline CreateOptions SmallStore(uint32_t shards = 3,
                                uint32_t page_bytes = CreateOptions().page_bytes) {
  CreateOptions options;
  options.shards = shards;
  options.page_bytes = page_bytes;
  options.hash_seed = 1;
  options.log_segment_bytes = uint64_t{1} << 20;
  options.log_limit_bytes = uint64_t{4} << 20;
  return options;
}

}  // namespace kvfs
