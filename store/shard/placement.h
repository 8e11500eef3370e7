// Placement of records: the position of a name, the shard of a position, the owner shard of an id.
// A change computes the place of each key once, and hands it on.
#pragma once

#include <cstdint>
#include <string_view>

#include <kvfs/batch.h>
#include <kvfs/store.h>
#include "store/format/name_hash.h"
#include "store/format/record_key.h"
#include "store/format/superblock.h"

namespace kvfs {

// Where an entry's record lies. Borrows the name.
struct Place {
  uint32_t shard = 0;
  format::RecordKey key;
};
// Of the one or two keys that a change names.
struct Places {
  Place at;
  Place to;
};

class Placement {
 public:
  explicit Placement(const format::Identity& identity)
      : hash_(identity.NamesHash()), shards_(identity.shards) {}

  // Each shard has a contiguous range of positions, so that shards in order list a directory in
  // order.
  uint32_t ShardOf(Position position) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint32_t>(Wide{position} * shards_ >> 63);
  }
  uint32_t OwnerOf(uint64_t id) const { return static_cast<uint32_t>(id % shards_); }
  Place PlaceOf(uint64_t directory, std::string_view name) const {
    const Position position = hash_.PositionOf(name);
    return {ShardOf(position), {directory, position, name}};
  }
  uint32_t shards() const { return shards_; }

 private:
  format::NameHash hash_;
  uint32_t shards_;
};

}  // namespace kvfs
