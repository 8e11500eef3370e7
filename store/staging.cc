// Numbers are held while their blocks are written, so that neither a crash nor an error loses them.
#include "store/staging.h"

#include <algorithm>
#include <mutex>

namespace kvfs {

using format::kBlockBytes;

BlockSplit BlockSplit::Of(uint64_t offset, uint64_t length) {
  BlockSplit split;
  split.head = std::min((kBlockBytes - offset % kBlockBytes) % kBlockBytes, length);
  split.middle = (length - split.head) / kBlockBytes * kBlockBytes;
  split.tail = length - split.head - split.middle;
  return split;
}

Staging::~Staging() {
  if (committed_) return;
  for (const auto& [index, write] : writes_) Release(write);
}

bool Staging::IsStaged(const Batch::Operation& operation, uint64_t inline_limit) {
  using Kind = Batch::Operation::Kind;
  if (operation.kind != Kind::kPut && operation.kind != Kind::kWrite) return false;
  return operation.data.size() > inline_limit &&
         BlockSplit::Of(operation.offset, operation.data.size()).middle > 0;
}

Result<void> Staging::Prepare(const Batch& batch, const std::map<size_t, uint32_t>& homes) {
  const uint64_t inline_limit = shards_.front()->inline_limit();
  for (size_t i = 0; i < batch.operations().size(); ++i) {
    const Batch::Operation& operation = batch.operations()[i];
    if (writes_.contains(i) || !IsStaged(operation, inline_limit)) continue;
    const BlockSplit split = BlockSplit::Of(operation.offset, operation.data.size());
    Write write;
    auto known = homes.find(i);
    write.home = known != homes.end() ? known->second : GuessHome(operation.key);
    KVFS_TRY(WriteBlocks(operation.data.subspan(split.head, split.middle), &write));
    writes_.emplace(i, std::move(write));
  }
  return {};
}

// Where the content lives, or will live if the entry is new.
uint32_t Staging::GuessHome(Key key) const {
  const auto record = placement_.RecordKeyOf(key.space, key.name);
  const uint32_t index = placement_.ShardOf(record.position);
  std::shared_lock lock(shards_[index]->mutex);
  auto entry = shards_[index]->Find(record);
  return entry ? placement_.HomeOf(entry->id) : index;
}

Result<void> Staging::WriteBlocks(Bytes data, Write* write) {
  Shard& shard = *shards_[write->home];
  const uint64_t count = data.size() / kBlockBytes;
  {
    std::lock_guard lock(shard.mutex);
    KVFS_TRY(shard.Reserve(0, count, /*grows=*/true));
    write->numbers = shard.block_space().Hold(count);
  }
  auto pointers = shard.blocks().WriteNow(write->numbers, data);
  if (!pointers) {
    Release(*write);
    return tl::unexpected(std::move(pointers).error());
  }
  write->pointers.resize(count * format::BlockPointer::kBytes);
  for (size_t i = 0; i < count; ++i) {
    (*pointers)[i].Encode(write->pointers.data() + i * format::BlockPointer::kBytes);
  }
  return {};
}

const Staging::Write* Staging::Find(size_t index) const {
  auto found = writes_.find(index);
  return found == writes_.end() ? nullptr : &found->second;
}

void Staging::Discard(size_t index) {
  auto found = writes_.find(index);
  if (found == writes_.end()) return;
  Release(found->second);
  writes_.erase(found);
}

void Staging::Release(const Write& write) {
  Shard& shard = *shards_[write.home];
  std::lock_guard lock(shard.mutex);
  shard.block_space().Release(write.numbers);
}

uint64_t Staging::StagedBytes() const {
  uint64_t total = 0;
  for (const auto& [index, write] : writes_) total += write.numbers.size() * kBlockBytes;
  return total;
}

}  // namespace kvfs
