// Where things lie: the position of a name, the shard of a position, the home shard of an id.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/batch.h"
#include "store/format/checksum.h"
#include "store/format/page.h"
#include "store/format/superblock.h"
#include "store/store.h"

namespace kvfs {

class Placement {
 public:
  explicit Placement(const format::Identity& identity)
      : seed_(identity.hash_seed), shards_(identity.shards), drop_bits_(63 - identity.hash_bits) {}

  // The upper 63 bits of XXH3-64 of the name, so that a position fits a signed file offset.
  Position PositionOf(std::string_view name) const {
    const Position hash = format::Checksum(AsBytes(name), seed_) >> 1 >> drop_bits_ << drop_bits_;
    return hash < kFirstPosition ? kFirstPosition : hash;
  }
  // Each shard has a contiguous range of positions, so that shards in order list a space in order.
  uint32_t ShardOf(Position position) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint32_t>(Wide{position} * shards_ >> 63);
  }
  uint32_t HomeOf(uint64_t id) const { return static_cast<uint32_t>(id % shards_); }
  format::RecordKey RecordKeyOf(uint64_t space, std::string_view name) const {
    return {space, PositionOf(name), name};
  }
  uint32_t shards() const { return shards_; }

 private:
  uint64_t seed_;
  uint32_t shards_;
  uint32_t drop_bits_;
};

}  // namespace kvfs
