// The superblock file: the store's identity, and its two newest checkpoints. Pure.
//
//   0      identity (128 bytes, written once):
//            0 magic "KVFSTORE" | 8 checksum u64 of the bytes from 16 to 128 | 16 version u32
//            | 20 shards u32 | 24 store id 16 bytes | 40 page bytes u32 | 44 hash bits u32
//            | 48 hash seed u64 | 56 log limit u64 | 64 log segment u64 | 72 zero
//   4096   checkpoint slot 0
//   40960  checkpoint slot 1
//   77824  the identity again
//
//   slot:  0 magic "KVFSCKPT" | 8 checksum u64 of the bytes from 16 to the last shard's end
//          | 16 epoch u64 | 24 first log segment u64 | 32 next sequence u64 | 40 shards u32
//          | 44 zero u32 | 48 last log segment u64 | 56 zero
//          | 64 shard 0, shard 1, … of 128 bytes:
//              0 root pointer | 16 page map's root | 32 block map's root: block pointers
//              | 48 next id u64 | 56 entries u64 | 64 leaves u64 | 72 branches u64
//              | 80 pages used u64 | 88 blocks used u64 | 96 orphaned contents u64
//              | 104 blocks of the page map u64 | 112 of the block map u64 | 120 height u8
//              | 121 levels of the page map u8 | 122 of the block map u8 | 123 zero
//
// A checkpoint writes slot 0, syncs it, then writes slot 1 and syncs that. If slot 0 is torn, slot
// 1 still holds the previous checkpoint, whose pages and log are all still there. Afterwards both
// slots are equal, so that later damage to one costs nothing. The valid slot with the higher epoch
// is the store (of equal epochs, that with the higher last segment: an opening also writes the
// slots, to name the segment that it begins). Replay reads the segments from `first log segment` on
// and starts with `next sequence`. That segment and the last one must exist, unless the last one is
// 0, as after a close: then no segment need exist.
#pragma once

#include <cstdint>
#include <vector>

#include <kvfs/bytes.h>
#include <kvfs/status.h>
#include "store/format/log_segment.h"
#include "store/format/name_hash.h"
#include "store/format/pointer.h"
#include "store/format/record_key.h"

namespace kvfs::format {

inline constexpr uint32_t kVersion = 2;
inline constexpr uint32_t kIdentityBytes = 128;
inline constexpr uint32_t kMaxShards = 256;
inline constexpr uint64_t kMinSegmentBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 30;
inline constexpr uint64_t kMinSegments = 4;
inline constexpr uint64_t kMaxLogLimitBytes = uint64_t{1} << 40;
// The last log segment of a checkpoint without a log: the store was closed, or is new.
inline constexpr uint64_t kNoSegment = 0;
inline constexpr uint64_t kSlotOffset[2] = {4096, 40960};
inline constexpr uint64_t kIdentityOffset[2] = {0, 77824};
inline constexpr uint64_t kSuperblockBytes = 81920;
inline constexpr uint32_t kSlotHeaderBytes = 64;
inline constexpr uint32_t kSlotShardBytes = 128;
// A tree with more levels is damaged: this many levels of the smallest pages exceed any disk.
inline constexpr uint32_t kMaxTreeHeight = 16;
inline constexpr uint32_t kMaxMapLevels = 6;
static_assert(kSlotOffset[1] - kSlotOffset[0] == kIdentityOffset[1] - kSlotOffset[1]);
static_assert(kSlotHeaderBytes + kMaxShards * kSlotShardBytes <= kSlotOffset[1] - kSlotOffset[0]);

struct Identity {
  StoreId store{};
  uint32_t shards = 0;
  uint32_t page_bytes = 0;
  uint32_t hash_bits = 0;
  uint64_t hash_seed = 0;
  uint64_t log_limit_bytes = 0;
  uint64_t log_segment_bytes = 0;

  std::vector<std::byte> Encode() const;
  // kCorrupt: no superblock, or a damaged one. kUnsupported: another version.
  static Result<Identity> Decode(Bytes bytes);
  // kInvalid, with the reason, unless every parameter is within its limits.
  Result<void> Check() const;
  NameHash NamesHash() const { return {hash_seed, 63 - hash_bits}; }
  // Seed of the checksums of a shard's pages and blocks.
  uint64_t ShardSeed(uint32_t shard) const;
};

// Location of an allocation map (store/alloc/block_allocator.h): blocks in a radix tree of `levels`
// levels.
struct MapRoot {
  BlockPointer root;
  uint8_t levels = 0;
  uint64_t blocks = 0;
  bool operator==(const MapRoot&) const = default;
};

struct ShardRoot {
  PagePointer root;
  uint8_t height = 0;  // of the tree: levels, the leaves' included
  MapRoot page_map;
  MapRoot block_map;
  uint64_t next_id = 0;
  uint64_t entries = 0;
  uint64_t leaves = 0;
  uint64_t branches = 0;
  uint64_t pages_used = 0;
  uint64_t blocks_used = 0;
  uint64_t orphaned_contents = 0;
  bool operator==(const ShardRoot&) const = default;
};

struct Checkpoint {
  uint64_t epoch = 0;
  uint64_t first_segment = 0;
  uint64_t next_sequence = 0;
  uint64_t last_segment = 0;
  std::vector<ShardRoot> shards;
  bool operator==(const Checkpoint&) const = default;

  std::vector<std::byte> Encode(const StoreId& store) const;
  // kCorrupt unless the bytes hold a complete and plausible checkpoint of this store with this
  // number of shards.
  static Result<Checkpoint> Decode(Bytes bytes, const StoreId& store, uint32_t shards);
};

}  // namespace kvfs::format
