// Numbers are pinned while their blocks are written, so that neither a crash nor an error leaks
// them.
#include "store/txn/staging.h"

#include <algorithm>

#include "store/format/entry.h"

namespace kvfs {

using format::BlockPointer;
using format::kBlockBytes;

BlockSplit BlockSplit::Of(uint64_t offset, uint64_t length) {
  BlockSplit split;
  split.head = std::min((kBlockBytes - offset % kBlockBytes) % kBlockBytes, length);
  split.middle = (length - split.head) / kBlockBytes * kBlockBytes;
  split.tail = length - split.head - split.middle;
  return split;
}

Staging::~Staging() {
  for (const auto& [index, write] : writes_) Release(write);
}

bool Staging::IsStaged(const Batch::Operation& operation) {
  using Kind = Batch::Operation::Kind;
  if (operation.kind != Kind::kPut && operation.kind != Kind::kWrite) return false;
  return operation.data.size() > kMinBytes;
}

bool Staging::Stages(const PlacedBatch& batch) {
  return std::ranges::any_of(batch.operations(), IsStaged);
}

Result<void> Staging::Prepare(const PlacedBatch& batch, const std::map<size_t, uint32_t>& owners) {
  for (size_t i = 0; i < batch.operations().size(); ++i) {
    const Batch::Operation& operation = batch.operations()[i];
    if (!IsStaged(operation) || writes_.contains(i)) continue;
    const BlockSplit split = BlockSplit::Of(operation.offset, operation.data.size());
    Write write;
    auto known = owners.find(i);
    write.owner = known != owners.end() ? known->second : GuessOwner(batch.places(i).at);
    auto written = WriteBlocks(operation.data.subspan(split.head, split.middle), &write);
    writes_.emplace(i, std::move(write));
    KVFS_TRY(written);
  }
  return {};
}

// The content's owner shard, or its future one if the entry is new.
uint32_t Staging::GuessOwner(const Place& place) const {
  const auto& [index, record] = place;
  const Shard& shard = *shards_[index];
  ShardPin pin;
  auto owner_of = [&](Bytes value) {
    const auto entry = format::Entry::Decode(value, shard.inline_limit());
    return entry ? placement_.OwnerOf(entry->id) : place.shard;
  };
  {
    SharedLock lock(shard.mutex);
    pin = shard.Pin();
    const auto* found = pin.FindInMemory(record, Memtable::kNewest);
    if (found != nullptr) return found->is_erased() ? index : owner_of(found->value());
  }
  const auto found = pin.tree->tree.Find(record);
  return found ? owner_of(found->value) : index;
}

Result<void> Staging::WriteBlocks(Bytes data, Write* write) {
  Shard& shard = *shards_[write->owner];
  uint64_t left = data.size() / kBlockBytes;
  write->pointers.reserve(left * BlockPointer::kBytes);
  while (left > 0) {
    // Other threads may pin the preallocated blocks before this one does.
    KVFS_TRY(shard.block_allocator().Preallocate(left));
    write->runs.reserve(write->runs.size() + 1);  // so that recording pinned blocks cannot fail
    const Run run = shard.block_allocator().Pin(left);
    if (run.count == 0) continue;
    write->runs.push_back(run);
    const Bytes piece = data.first(run.count * kBlockBytes);
    KVFS_TRY(shard.blocks().WriteNamed(run.first, piece));
    for (uint64_t i = 0; i < run.count; ++i) {
      std::byte encoded[BlockPointer::kBytes];
      const Bytes block = piece.subspan(i * kBlockBytes, kBlockBytes);
      BlockPointer{run.first + i, shard.blocks().ChecksumOf(block)}.Encode(encoded);
      write->pointers.insert(write->pointers.end(), std::begin(encoded), std::end(encoded));
    }
    data = data.subspan(piece.size());
    left -= run.count;
    write->blocks += run.count;
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
  for (const Run& run : write.runs) shards_[write.owner]->block_allocator().Unpin(run);
}

void Staging::Commit() {
  for (const auto& [index, write] : writes_) {
    for (const Run& run : write.runs) shards_[write.owner]->block_allocator().Allocate(run);
  }
  writes_.clear();
}

uint64_t Staging::StagedBytes() const {
  uint64_t total = 0;
  for (const auto& [index, write] : writes_) total += write.blocks * kBlockBytes;
  return total;
}

}  // namespace kvfs
