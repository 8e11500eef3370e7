// Identity and checkpoint slots to bytes and back.
#include "store/format/superblock.h"

#include <bit>
#include <string>

#include "store/format/checksum.h"
#include "store/format/entry.h"
#include "store/format/page.h"

namespace kvfs::format {
namespace {

constexpr std::string_view kIdentityMagic = "KVFSTORE";
constexpr std::string_view kCheckpointMagic = "KVFSCKPT";
constexpr uint64_t kIdentitySeed = 0x4944;  // "ID"

bool HasMagic(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && AsText(bytes.first(magic.size())) == magic;
}

ShardRoot DecodeShardRoot(const std::byte* at) {
  ShardRoot shard;
  shard.root = PagePointer::Decode(at);
  shard.page_map.root = BlockPointer::Decode(at + 16);
  shard.block_map.root = BlockPointer::Decode(at + 32);
  uint64_t* const counters[] = {
      &shard.next_id,           &shard.entries,         &shard.leaves,
      &shard.branches,          &shard.pages_used,      &shard.blocks_used,
      &shard.orphaned_contents, &shard.page_map.blocks, &shard.block_map.blocks};
  const std::byte* counter_at = at + 48;
  for (uint64_t* counter : counters) {
    *counter = LoadLittle<uint64_t>(counter_at);
    counter_at += sizeof *counter;
  }
  shard.height = LoadLittle<uint8_t>(at + 120);
  shard.page_map.levels = LoadLittle<uint8_t>(at + 121);
  shard.block_map.levels = LoadLittle<uint8_t>(at + 122);
  return shard;
}

void EncodeShardRoot(const ShardRoot& shard, std::byte* at) {
  shard.root.Encode(at);
  shard.page_map.root.Encode(at + 16);
  shard.block_map.root.Encode(at + 32);
  const uint64_t counters[] = {
      shard.next_id,           shard.entries,         shard.leaves,
      shard.branches,          shard.pages_used,      shard.blocks_used,
      shard.orphaned_contents, shard.page_map.blocks, shard.block_map.blocks};
  std::byte* counter_at = at + 48;
  for (const uint64_t counter : counters) {
    StoreLittle(counter_at, counter);
    counter_at += sizeof counter;
  }
  StoreLittle(at + 120, shard.height);
  StoreLittle(at + 121, shard.page_map.levels);
  StoreLittle(at + 122, shard.block_map.levels);
}

// A bound for counters that no store reaches, and that is far from overflow.
constexpr uint64_t kMaxCounter = uint64_t{1} << 62;

bool IsPossible(const MapRoot& map) {
  return map.levels <= kMaxMapLevels && map.root.number < kMaxNumber &&
         map.root.IsHole() == (map.levels == 0) && map.blocks <= kMaxNumber;
}

bool IsPossible(const ShardRoot& root, uint32_t shard, uint32_t shards) {
  const bool is_empty = root.root.IsNull();
  return root.root.number < kMaxNumber && is_empty == (root.height == 0) &&
         root.height <= kMaxTreeHeight && is_empty == (root.leaves == 0) &&
         IsPossible(root.page_map) && IsPossible(root.block_map) && root.next_id >= kFirstEntryId &&
         root.next_id <= kMaxId && root.next_id % shards == shard && root.entries <= kMaxCounter &&
         root.leaves <= kMaxNumber && root.branches <= kMaxNumber &&
         root.pages_used <= kMaxNumber && root.blocks_used <= kMaxNumber &&
         root.orphaned_contents <= kMaxCounter;
}

bool IsPossible(const Checkpoint& checkpoint) {
  const uint32_t shards = static_cast<uint32_t>(checkpoint.shards.size());
  for (uint32_t i = 0; i < shards; ++i) {
    if (!IsPossible(checkpoint.shards[i], i, shards)) return false;
  }
  return checkpoint.epoch > 0 && checkpoint.epoch <= kMaxCounter && checkpoint.next_sequence > 0 &&
         checkpoint.next_sequence <= kMaxCounter && checkpoint.first_segment > 0 &&
         checkpoint.first_segment <= kMaxCounter && checkpoint.last_segment <= kMaxCounter &&
         (checkpoint.last_segment == kNoSegment ||
          checkpoint.last_segment >= checkpoint.first_segment);
}

size_t CheckpointBytes(size_t shards) { return kSlotHeaderBytes + shards * kSlotShardBytes; }

}  // namespace

std::vector<std::byte> Identity::Encode() const {
  std::vector<std::byte> out(kIdentityBytes);
  std::byte* at = out.data();
  CopyBytes(at, AsBytes(kIdentityMagic));
  StoreLittle(at + 16, kVersion);
  StoreLittle(at + 20, shards);
  CopyBytes(at + 24, store);
  StoreLittle(at + 40, page_bytes);
  StoreLittle(at + 44, hash_bits);
  StoreLittle(at + 48, hash_seed);
  StoreLittle(at + 56, log_limit_bytes);
  StoreLittle(at + 64, log_segment_bytes);
  StoreLittle(at + 8, Checksum(Bytes(out).subspan(16), kIdentitySeed));
  return out;
}

Result<Identity> Identity::Decode(Bytes bytes) {
  if (bytes.size() < kIdentityBytes || !HasMagic(bytes, kIdentityMagic)) {
    return Fail(ErrorCode::kCorrupt, "this is not a kvfs superblock");
  }
  bytes = bytes.first(kIdentityBytes);
  const std::byte* at = bytes.data();
  uint32_t version = LoadLittle<uint32_t>(at + 16);
  // Before the checksum: another version may compute it over other bytes.
  if (version != kVersion) {
    return Fail(ErrorCode::kUnsupported, "the store has format version " + std::to_string(version) +
                                             ", and this program knows version " +
                                             std::to_string(kVersion) + " only");
  }
  if (LoadLittle<uint64_t>(at + 8) != Checksum(bytes.subspan(16), kIdentitySeed)) {
    return Fail(ErrorCode::kCorrupt, "the superblock's identity fails its checksum");
  }
  Identity identity;
  identity.shards = LoadLittle<uint32_t>(at + 20);
  CopyBytes(identity.store.data(), bytes.subspan(24, identity.store.size()));
  identity.page_bytes = LoadLittle<uint32_t>(at + 40);
  identity.hash_bits = LoadLittle<uint32_t>(at + 44);
  identity.hash_seed = LoadLittle<uint64_t>(at + 48);
  identity.log_limit_bytes = LoadLittle<uint64_t>(at + 56);
  identity.log_segment_bytes = LoadLittle<uint64_t>(at + 64);
  if (auto sound = identity.Check(); !sound) {
    return Fail(ErrorCode::kCorrupt, "the superblock is impossible: " + sound.error().message);
  }
  return identity;
}

Result<void> Identity::Check() const {
  if (shards < 1 || shards > kMaxShards) {
    return Fail(ErrorCode::kInvalid, "the number of shards must be 1 to 256");
  }
  if (page_bytes < kMinPageBytes || page_bytes > kMaxPageBytes ||
      !std::has_single_bit(page_bytes)) {
    return Fail(ErrorCode::kInvalid, "the page size must be 4096, 8192, 16384 or 32768 bytes");
  }
  if (hash_bits < 1 || hash_bits > 63) {
    return Fail(ErrorCode::kInvalid, "the hash must have 1 to 63 bits");
  }
  if (log_segment_bytes < kMinSegmentBytes || log_segment_bytes > kMaxSegmentBytes) {
    return Fail(ErrorCode::kInvalid, "a log segment must have 1 MiB to 1 GiB");
  }
  if (log_limit_bytes / kMinSegments < log_segment_bytes || log_limit_bytes > kMaxLogLimitBytes) {
    return Fail(ErrorCode::kInvalid,
                "the log limit must be at least 4 log segments, and at most 1 TiB");
  }
  return {};
}

uint64_t Identity::ShardSeed(uint32_t shard) const { return Checksum(store, shard); }

std::vector<std::byte> Checkpoint::Encode(const StoreId& store) const {
  std::vector<std::byte> out(CheckpointBytes(shards.size()));
  std::byte* at = out.data();
  CopyBytes(at, AsBytes(kCheckpointMagic));
  StoreLittle(at + 16, epoch);
  StoreLittle(at + 24, first_segment);
  StoreLittle(at + 32, next_sequence);
  StoreLittle(at + 40, static_cast<uint32_t>(shards.size()));
  StoreLittle(at + 48, last_segment);
  for (size_t i = 0; i < shards.size(); ++i) EncodeShardRoot(shards[i], at + CheckpointBytes(i));
  StoreLittle(at + 8, Checksum(Bytes(out).subspan(16), Checksum(store, epoch)));
  return out;
}

Result<Checkpoint> Checkpoint::Decode(Bytes bytes, const StoreId& store, uint32_t shards) {
  if (bytes.size() < CheckpointBytes(shards) || !HasMagic(bytes, kCheckpointMagic)) {
    return Fail(ErrorCode::kCorrupt, "there is no checkpoint in the slot");
  }
  bytes = bytes.first(CheckpointBytes(shards));
  const std::byte* at = bytes.data();
  Checkpoint checkpoint;
  checkpoint.epoch = LoadLittle<uint64_t>(at + 16);
  if (LoadLittle<uint64_t>(at + 8) !=
          Checksum(bytes.subspan(16), Checksum(store, checkpoint.epoch)) ||
      LoadLittle<uint32_t>(at + 40) != shards) {
    return Fail(ErrorCode::kCorrupt, "the checkpoint fails its checksum");
  }
  checkpoint.first_segment = LoadLittle<uint64_t>(at + 24);
  checkpoint.next_sequence = LoadLittle<uint64_t>(at + 32);
  checkpoint.last_segment = LoadLittle<uint64_t>(at + 48);
  for (uint32_t i = 0; i < shards; ++i) {
    checkpoint.shards.push_back(DecodeShardRoot(at + CheckpointBytes(i)));
  }
  if (!IsPossible(checkpoint)) {
    return Fail(ErrorCode::kCorrupt, "the checkpoint holds impossible numbers");
  }
  return checkpoint;
}

}  // namespace kvfs::format
