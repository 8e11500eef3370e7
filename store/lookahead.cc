// One search an entry; none where it is in memory.
#include "store/lookahead.h"

namespace kvfs {

Lookahead::Lookahead(const Shards& shards, const Placement& placement, const Batch& batch) {
  using Kind = Batch::Operation::Kind;
  looks_.reserve(batch.operations().size());
  begins_.reserve(batch.operations().size() + 1);
  for (const Batch::Operation& operation : batch.operations()) {
    begins_.push_back(looks_.size());
    Look(shards, placement, operation.key);
    const bool has_to = operation.kind == Kind::kMove || operation.kind == Kind::kExchange;
    if (has_to) Look(shards, placement, operation.to);
  }
  begins_.push_back(looks_.size());
}

void Lookahead::Look(const Shards& shards, const Placement& placement, Key key) {
  const format::RecordKey record = placement.RecordKeyOf(key.space, key.name);
  const Shard& shard = *shards[placement.ShardOf(record.position)];
  std::shared_ptr<const TreeVersion> tree;
  {
    std::shared_lock lock(shard.mutex);
    if (shard.now().FindInMemory(record, Memtable::kNewest) != nullptr) return;
    tree = shard.now().tree;
  }
  const uint64_t faults = shard.ViewFaults();
  auto found = tree->tree.Find(record);
  if (shard.ViewFaults() != faults) return;
  looks_.push_back({std::move(tree), record, std::move(found)});
}

}  // namespace kvfs
