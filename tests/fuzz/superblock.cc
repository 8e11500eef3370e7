// An identity and a checkpoint after it, unmodified and under correct checksums: accepted ones are
// plausible, and encode to equal ones.
#include "store/format/superblock.h"

#include <algorithm>

#include "tests/fuzz/reseal.h"
#include "tests/fuzz/target.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::fuzz {
namespace {

using format::Checkpoint;
using format::Identity;
using format::kIdentityBytes;

void TryCheckpoint(Bytes slot, const format::StoreId& store, uint32_t shards) {
  const auto checkpoint = Checkpoint::Decode(slot, store, shards);
  if (!checkpoint) return;
  Require(checkpoint->shards.size() == shards, "a checkpoint has all shards");
  for (const auto& shard : checkpoint->shards) {
    Require(shard.root.IsNull() == (shard.height == 0), "a tree without pages has no levels");
    Require(shard.height <= format::kMaxTreeHeight, "a tree has possible levels");
    Require(shard.page_map.levels <= format::kMaxMapLevels, "a map has possible levels");
  }
  const auto encoded = checkpoint->Encode(store);
  const auto again = Checkpoint::Decode(encoded, store, shards);
  Require(again && again->Encode(store) == encoded, "a checkpoint encodes to an equal one");
}

void TryIdentity(Bytes bytes, format::StoreId* store, uint32_t* shards) {
  const auto identity = Identity::Decode(bytes);
  if (!identity) return;
  Require(identity->Check().has_value(), "what was decoded is possible");
  Require(identity->ShardSeed(0) != identity->ShardSeed(1), "each shard has a seed of its own");
  const auto encoded = identity->Encode();
  const auto again = Identity::Decode(encoded);
  Require(again && again->Encode() == encoded, "an identity encodes to an equal one");
  *store = identity->store;
  *shards = identity->shards;
}

void Run(Bytes input) {
  Input identity = Resized(input, std::min<size_t>(input.size(), kIdentityBytes));
  Input slot = Resized(input.subspan(identity.size()), input.size() - identity.size());
  format::StoreId store{};
  uint32_t shards = 1;
  TryIdentity(identity, &store, &shards);
  TryCheckpoint(slot, store, shards);
  ResealIdentity(identity);
  TryIdentity(identity, &store, &shards);
  ResealSlot(slot, store, shards);
  TryCheckpoint(slot, store, shards);
}

std::vector<Input> Seeds() {
  const auto example = format::WorkedExample();
  Input small = example.at("identity");
  const Input& slot = example.at("checkpoint");
  small.insert(small.end(), slot.begin(), slot.end());
  Identity identity = Identity::Decode(example.at("identity")).value();
  identity.shards = 4;
  Checkpoint checkpoint = Checkpoint::Decode(slot, identity.store, 1).value();
  for (uint32_t i = 1; i < 4; ++i) checkpoint.shards.emplace_back().next_id = 16 + i;
  checkpoint.shards[0].next_id = 20;
  Input large = identity.Encode();
  const Input more = checkpoint.Encode(identity.store);
  large.insert(large.end(), more.begin(), more.end());
  return {small, large};
}

}  // namespace

const Target kSuperblock = {"superblock", Run, Seeds, 20'000};

}  // namespace kvfs::fuzz
