// Identity and checkpoint slots: encoded ones are decoded, and everything else is refused.
#include "store/format/superblock.h"

#include <gtest/gtest.h>

#include "store/format/checksum.h"
#include "store/format/page.h"
#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

StoreId SomeStore() {
  StoreId store;
  for (size_t i = 0; i < store.size(); ++i) store[i] = static_cast<std::byte>(0xa0 + i);
  return store;
}

Identity SomeIdentity() {
  Identity identity;
  identity.store = SomeStore();
  identity.shards = 3;
  identity.page_bytes = 8192;
  identity.hash_bits = 63;
  identity.hash_seed = 0x1122334455667788;
  identity.log_limit_bytes = uint64_t{64} << 20;
  identity.log_segment_bytes = uint64_t{8} << 20;
  return identity;
}

Checkpoint SomeCheckpoint() {
  Checkpoint checkpoint{7, 12, 345, 13, {}};
  checkpoint.shards.resize(2);
  ShardRoot& shard = checkpoint.shards[0];
  shard.root = {9, 7};
  shard.height = 2;
  shard.page_map = {{5, 0x55}, 1, 1};
  shard.block_map = {{6, 0x66}, 2, 3};
  shard.next_id = 20;
  shard.entries = 4;
  shard.leaves = 3;
  shard.branches = 1;
  shard.pages_used = 4;
  shard.blocks_used = 9;
  shard.orphaned_contents = 2;
  checkpoint.shards[1].next_id = 21;
  return checkpoint;
}

// The bytes of an identity with one field changed by `edit`, under a correct checksum.
template <typename Edit>
std::vector<std::byte> SealedIdentity(Edit edit) {
  auto bytes = SomeIdentity().Encode();
  edit(bytes.data());
  StoreLittle(bytes.data() + 8, Checksum(Bytes(bytes).subspan(16), 0x4944));
  return bytes;
}

ErrorCode CodeOf(const Result<Identity>& decoded) { return decoded.error().code; }

TEST(Identity, IsReadBack) {
  const Identity identity = SomeIdentity();
  const Identity decoded = Identity::Decode(identity.Encode()).value();
  EXPECT_EQ(decoded.store, identity.store);
  EXPECT_EQ(decoded.shards, identity.shards);
  EXPECT_EQ(decoded.page_bytes, identity.page_bytes);
  EXPECT_EQ(decoded.hash_bits, identity.hash_bits);
  EXPECT_EQ(decoded.hash_seed, identity.hash_seed);
  EXPECT_EQ(decoded.log_limit_bytes, identity.log_limit_bytes);
  EXPECT_EQ(decoded.log_segment_bytes, identity.log_segment_bytes);
}

TEST(Identity, RefusesEveryBitFlip) {
  ForEachBitFlip(SomeIdentity().Encode(), [](Bytes damaged, size_t bit) {
    EXPECT_FALSE(Identity::Decode(damaged)) << "bit " << bit;
  });
}

TEST(Identity, RefusesEveryTruncation) {
  ForEachTruncation(SomeIdentity().Encode(), [](Bytes cut) {
    EXPECT_EQ(CodeOf(Identity::Decode(cut)), ErrorCode::kCorrupt) << cut.size() << " bytes";
  });
}

TEST(Identity, OfANewerVersionIsToldApartFromADamagedOne) {
  auto newer = SealedIdentity([](std::byte* at) { StoreLittle(at + 16, kVersion + 1); });
  EXPECT_EQ(CodeOf(Identity::Decode(newer)), ErrorCode::kUnsupported);
  // Its checksum may be computed in another way.
  newer[8] ^= std::byte{1};
  EXPECT_EQ(CodeOf(Identity::Decode(newer)), ErrorCode::kUnsupported);
}

TEST(Identity, RefusesParametersOutOfTheirRangeUnderARightChecksum) {
  struct {
    const char* name;
    size_t offset;
    uint32_t value;
  } const cases[] = {{"no shards", 20, 0},
                     {"too many shards", 20, kMaxShards + 1},
                     {"small pages", 40, kMinPageBytes / 2},
                     {"large pages", 40, kMaxPageBytes * 2},
                     {"odd pages", 40, 5000},
                     {"no hash", 44, 0},
                     {"long hash", 44, 64},
                     {"small log", 56, 1 << 20},
                     {"large log", 60, 1 << 20},
                     {"small segments", 64, 4096},
                     {"large segments", 68, 1}};
  for (const auto& bad : cases) {
    auto bytes = SealedIdentity([&](std::byte* at) { StoreLittle(at + bad.offset, bad.value); });
    EXPECT_EQ(CodeOf(Identity::Decode(bytes)), ErrorCode::kCorrupt) << bad.name;
  }
}

TEST(Identity, ShardsHaveSeedsOfTheirOwn) {
  EXPECT_NE(SomeIdentity().ShardSeed(0), SomeIdentity().ShardSeed(1));
  Identity other = SomeIdentity();
  other.store[0] ^= std::byte{1};
  EXPECT_NE(SomeIdentity().ShardSeed(0), other.ShardSeed(0));
}

TEST(Checkpoint, IsReadBack) {
  const Checkpoint checkpoint = SomeCheckpoint();
  const Checkpoint decoded =
      Checkpoint::Decode(checkpoint.Encode(SomeStore()), SomeStore(), 2).value();
  EXPECT_EQ(decoded.epoch, checkpoint.epoch);
  EXPECT_EQ(decoded.first_segment, checkpoint.first_segment);
  EXPECT_EQ(decoded.next_sequence, checkpoint.next_sequence);
  EXPECT_EQ(decoded.last_segment, checkpoint.last_segment);
  EXPECT_EQ(decoded.shards, checkpoint.shards);
}

TEST(Checkpoint, RefusesEveryBitFlip) {
  ForEachBitFlip(SomeCheckpoint().Encode(SomeStore()), [](Bytes damaged, size_t bit) {
    EXPECT_FALSE(Checkpoint::Decode(damaged, SomeStore(), 2)) << "bit " << bit;
  });
}

TEST(Checkpoint, RefusesEveryTruncation) {
  ForEachTruncation(SomeCheckpoint().Encode(SomeStore()), [](Bytes cut) {
    EXPECT_FALSE(Checkpoint::Decode(cut, SomeStore(), 2)) << cut.size() << " bytes";
  });
}

TEST(Checkpoint, RefusesThatOfAnotherStore) {
  StoreId other = SomeStore();
  other[15] ^= std::byte{1};
  EXPECT_FALSE(Checkpoint::Decode(SomeCheckpoint().Encode(other), SomeStore(), 2));
}

TEST(Checkpoint, RefusesAnotherNumberOfShards) {
  auto bytes = SomeCheckpoint().Encode(SomeStore());
  EXPECT_FALSE(Checkpoint::Decode(bytes, SomeStore(), 1));
  bytes.resize(4096);
  EXPECT_TRUE(Checkpoint::Decode(bytes, SomeStore(), 2)) << "what follows is of no account";
  EXPECT_FALSE(Checkpoint::Decode(bytes, SomeStore(), 3));
}

// The encoder does not validate, so this makes checkpoints that only a faulty program would write.
TEST(Checkpoint, RefusesImpossibleNumbersUnderARightChecksum) {
  struct {
    const char* name;
    void (*harm)(Checkpoint& checkpoint);
  } const cases[] = {
      {"no epoch", [](Checkpoint& c) { c.epoch = 0; }},
      {"no first segment", [](Checkpoint& c) { c.first_segment = 0; }},
      {"last segment before the first", [](Checkpoint& c) { c.last_segment = 11; }},
      {"no sequence", [](Checkpoint& c) { c.next_sequence = 0; }},
      {"huge sequence", [](Checkpoint& c) { c.next_sequence = ~uint64_t{0}; }},
      {"root beyond any file", [](Checkpoint& c) { c.shards[0].root.number = kMaxNumber; }},
      {"root without height", [](Checkpoint& c) { c.shards[0].height = 0; }},
      {"height without root", [](Checkpoint& c) { c.shards[1].height = 1; }},
      {"too high", [](Checkpoint& c) { c.shards[0].height = kMaxTreeHeight + 1; }},
      {"root without leaves", [](Checkpoint& c) { c.shards[0].leaves = 0; }},
      {"map without levels", [](Checkpoint& c) { c.shards[0].page_map.levels = 0; }},
      {"levels without map", [](Checkpoint& c) { c.shards[1].block_map.levels = 1; }},
      {"map too high", [](Checkpoint& c) { c.shards[0].block_map.levels = kMaxMapLevels + 1; }},
      {"map beyond any file",
       [](Checkpoint& c) { c.shards[0].block_map.root.number = kMaxNumber; }},
      {"id of another shard", [](Checkpoint& c) { c.shards[0].next_id = 21; }},
      {"small id", [](Checkpoint& c) { c.shards[0].next_id = 14; }},
      {"huge id", [](Checkpoint& c) { c.shards[0].next_id = uint64_t{1} << 63; }},
      {"huge count of entries", [](Checkpoint& c) { c.shards[0].entries = ~uint64_t{0}; }},
      {"huge count of pages", [](Checkpoint& c) { c.shards[0].pages_used = ~uint64_t{0}; }},
      {"huge count of blocks", [](Checkpoint& c) { c.shards[0].blocks_used = ~uint64_t{0}; }}};
  for (const auto& bad : cases) {
    Checkpoint checkpoint = SomeCheckpoint();
    bad.harm(checkpoint);
    const auto decoded = Checkpoint::Decode(checkpoint.Encode(SomeStore()), SomeStore(), 2);
    ASSERT_FALSE(decoded) << bad.name;
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt) << bad.name;
  }
}

TEST(Checkpoint, HasRoomForTheMostShards) {
  Checkpoint checkpoint = SomeCheckpoint();
  checkpoint.shards.resize(kMaxShards);
  EXPECT_LE(checkpoint.Encode(SomeStore()).size(), kSlotOffset[1] - kSlotOffset[0]);
  EXPECT_LE(kSlotOffset[1] + checkpoint.Encode(SomeStore()).size(), kSuperblockBytes);
}

}  // namespace
}  // namespace kvfs::format
