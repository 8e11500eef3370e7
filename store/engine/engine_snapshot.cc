// Taken while no change is half done: a change holds its shards' locks from its append to the log
// until all its records are in memory.
#include "store/engine/engine_snapshot.h"

namespace kvfs {

std::unique_ptr<EngineSnapshot> EngineSnapshot::Take(EngineParts* parts) {
  std::vector<ShardPin> pins;
  pins.reserve(parts->shards.size());
  const SharedLocks locks(parts->shards);
  for (const auto& shard : parts->shards) {
    shard->mutex.AssertShared();  // by `locks`
    pins.push_back(shard->Pin());
  }
  const uint64_t version = parts->log->appended();
  return std::unique_ptr<EngineSnapshot>(new EngineSnapshot(parts, std::move(pins), version));
}

EngineSnapshot::EngineSnapshot(EngineParts* parts, std::vector<ShardPin> pins, uint64_t version)
    : parts_(parts),
      pins_(std::move(pins)),
      version_(version),
      view_(&parts->shards, parts->placement.get(), &parts->options.log, &pins_, version) {
  view_.SetLogDamage(parts->log_damage);
  parts->snapshots.Add(version);  // last: what throws before has no destructor to take it back
}

EngineSnapshot::~EngineSnapshot() { parts_->snapshots.Remove(version_); }

}  // namespace kvfs
