// One search for each entry; the tree is not searched if the entry is in memory.
#include "store/txn/prefetch.h"

#include <algorithm>
#include <array>

namespace kvfs {

Prefetch::Prefetch(const Shards& shards, const PlacedBatch& batch) {
  const std::vector<Batch::Operation>& operations = batch.operations();
  looks_.reserve(operations.size());
  begins_.reserve(operations.size() + 1);
  for (size_t i = 0; i < operations.size(); ++i) {
    begins_.push_back(looks_.size());
    looks_.emplace_back().place = batch.places(i).at;
    if (Batch::HasSecondKey(operations[i].kind)) looks_.emplace_back().place = batch.places(i).to;
  }
  begins_.push_back(looks_.size());

  auto shard_of = [](const PrefetchedRecord* look) { return look->place.shard; };
  std::vector<PrefetchedRecord*> by_shard;
  by_shard.reserve(looks_.size());
  for (PrefetchedRecord& look : looks_) by_shard.push_back(&look);
  if (by_shard.size() > 1) std::ranges::stable_sort(by_shard, {}, shard_of);
  for (auto begin = by_shard.begin(); begin != by_shard.end();) {
    const uint32_t shard = shard_of(*begin);
    const auto most = std::min<ptrdiff_t>(by_shard.end() - begin, Memtable::kMostKeys);
    const auto end = std::find_if(
        begin, begin + most, [&](const PrefetchedRecord* look) { return shard_of(look) != shard; });
    LookEach(*shards[shard], {begin, end});
    begin = end;
  }
}

void Prefetch::LookEach(const Shard& shard, std::span<PrefetchedRecord* const> looks) {
  std::array<format::RecordKey, Memtable::kMostKeys> keys;
  std::array<const Memtable::Record*, Memtable::kMostKeys> records;
  for (size_t i = 0; i < looks.size(); ++i) keys[i] = looks[i]->place.key;
  const std::span wanted = std::span(keys).first(looks.size());
  {
    SharedLock lock(shard.mutex);
    shard.now().FindEachInMemory(wanted, records);
    for (size_t i = 0; i < looks.size(); ++i) {
      looks[i]->shard_state = shard.state();
      looks[i]->in_memory = records[i];
    }
    if (trees_.empty() || trees_.back() != shard.now().tree) trees_.push_back(shard.now().tree);
  }
  const TreeVersion& version = *trees_.back();
  for (PrefetchedRecord* look : looks) {
    look->tree = &version;
    if (looks.size() > 1 && look->in_memory == nullptr) version.tree.Prefetch(look->place.key);
  }
  const uint64_t faults = shard.ViewFaults();
  for (PrefetchedRecord* look : looks) {
    if (look->in_memory == nullptr) look->on_disk = version.tree.Find(look->place.key);
  }
  if (shard.ViewFaults() == faults) return;
  for (PrefetchedRecord* look : looks) look->on_disk.reset();
}

}  // namespace kvfs
