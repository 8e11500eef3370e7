// The shard's parts put together, and its side of a checkpoint.
#include "store/shard.h"

#include <algorithm>

namespace kvfs {

using format::Entry;
using format::RecordKey;
using format::ShardRoot;

Shard::Shard(ShardFiles files, const ShardConfig& config, const ShardRoot& root,
             uint64_t open_epoch)
    : config_(config),
      inline_limit_(format::InlineLimitBytes(config.page_bytes)),
      files_(std::move(files)),
      page_space_(files_.keys.get(), config.page_bytes, root.pages_used,
                  [this](uint64_t group) { return LoadGroup(format::kPageMapSpace, group); }),
      block_space_(files_.values.get(), format::kBlockBytes, root.blocks_used,
                   [this](uint64_t group) { return LoadGroup(format::kBlockMapSpace, group); }),
      pages_(files_.keys.get(), &page_space_,
             {config.page_bytes, config.checksum_seed,
              "shard " + std::to_string(config.index) + " keys", config.log},
             open_epoch),
      tree_(&pages_, root.root),
      blocks_(files_.values.get(), &block_space_, config.checksum_seed, open_epoch),
      contents_(&pages_, &tree_, &blocks_),
      next_id_(root.next_id),
      entries_(root.entries) {}

Result<Entry> Shard::Find(const RecordKey& key) const {
  KVFS_ASSIGN(Bytes value, tree_.Find(key));
  return Entry::Decode(value, inline_limit_);
}

Result<void> Shard::Store(const RecordKey& key, const Entry& entry) {
  std::vector<std::byte> value;
  entry.Encode(inline_limit_, &value);
  return tree_.Put(key, value);
}

uint64_t Shard::TakeId() {
  const uint64_t id = next_id_;
  next_id_ += config_.shards;
  return id;
}

void Shard::NoteId(uint64_t id) {
  if (id >= next_id_) next_id_ = id + config_.shards;
}

// Storing the space maps copies and splits leaves with the groups, and the branches above them.
uint64_t Shard::CheckpointPages() const {
  return 3 * tree_.PagesPerChange() +
         2 * (page_space_.GroupsToStore() + block_space_.GroupsToStore());
}

Result<void> Shard::Reserve(uint64_t pages, uint64_t blocks, bool grows) {
  KVFS_TRY(page_space_.Reserve(pages + CheckpointPages() + (grows ? DeletePages() : 0)));
  return block_space_.Reserve(blocks);
}

uint64_t Shard::page_bytes_used() const { return page_space_.used() * config_.page_bytes; }
uint64_t Shard::block_bytes_used() const { return block_space_.used() * format::kBlockBytes; }
uint64_t Shard::reusable_bytes() const {
  return page_space_.ready() * config_.page_bytes + block_space_.ready() * format::kBlockBytes;
}

Result<uint64_t> Shard::FileBytes() const {
  KVFS_ASSIGN(uint64_t keys, files_.keys->SizeBytes());
  KVFS_ASSIGN(uint64_t values, files_.values->SizeBytes());
  return keys + values;
}

Result<GroupWords> Shard::LoadGroup(uint64_t space, uint64_t group) const {
  GroupWords words{};
  auto value = tree_.Find({space, group, {}});
  if (!value) {
    if (value.error().code == ErrorCode::kNotFound) return words;
    return tl::unexpected(std::move(value).error());
  }
  if (value->size() != kGroupBytes) {
    return Fail(ErrorCode::kCorrupt, "a space map's group has the wrong length");
  }
  for (uint32_t i = 0; i < kGroupWords; ++i) {
    words[i] = LoadLittle<uint64_t>(value->data() + i * sizeof(uint64_t));
  }
  return words;
}

// Storing a group changes the tree, and so allocates and frees pages, which dirties groups again;
// but each page of the tree is copied once an epoch, so it comes to an end.
Result<void> Shard::StoreSpaceMaps() {
  while (page_space_.HasFreed() || block_space_.HasFreed() || page_space_.HasDirtyGroups() ||
         block_space_.HasDirtyGroups()) {
    KVFS_TRY(page_space_.SettleFreed());
    KVFS_TRY(block_space_.SettleFreed());
    KVFS_TRY(StoreDirtyGroups(block_space_, format::kBlockMapSpace));
    KVFS_TRY(StoreDirtyGroups(page_space_, format::kPageMapSpace));
  }
  return {};
}

Result<void> Shard::StoreDirtyGroups(SpaceMap& space, uint64_t record_space) {
  while (space.HasDirtyGroups()) {
    KVFS_TRY(page_space_.Reserve(tree_.PagesPerChange()));
    auto [group, words] = space.TakeDirtyGroup();
    std::byte value[kGroupBytes];
    for (uint32_t i = 0; i < kGroupWords; ++i) StoreLittle(value + i * sizeof(uint64_t), words[i]);
    if (auto stored = tree_.Put({record_space, group, {}}, value); !stored) {
      space.StayDirty(group);
      return stored;
    }
  }
  return {};
}

ShardRoot Shard::CloseEpoch() {
  page_space_.CloseEpoch();
  block_space_.CloseEpoch();
  pages_.CloseEpoch();
  blocks_.CloseEpoch();
  return {tree_.root(), next_id_, entries_, page_space_.used(), block_space_.used()};
}

Result<void> Shard::WriteFrozen() {
  KVFS_TRY(pages_.WriteFrozen());
  return blocks_.WriteFrozen();
}

Result<void> Shard::Sync() {
  KVFS_TRY(files_.values->Sync());
  return files_.keys->Sync();
}

void Shard::CheckpointDurable(bool keep_spare) {
  pages_.DropFrozen();
  blocks_.DropFrozen();
  PublishDirty();
  // While the store is at work long runs only: the next epoch needs most of it anyway.
  constexpr uint32_t kLongRun = 16;
  const uint32_t run = keep_spare ? kLongRun : 1;
  const uint64_t pages = keep_spare ? page_space_.allocated_in_closed_epoch() : 0;
  page_space_.CheckpointDurable(std::max(pages, CheckpointPages() + DeletePages()), run);
  block_space_.CheckpointDurable(keep_spare ? block_space_.allocated_in_closed_epoch() : 0, run);
}

}  // namespace kvfs
