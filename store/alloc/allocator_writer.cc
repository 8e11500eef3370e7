// Writes each changed bitmap, and all blocks above it.
#include "store/alloc/allocator_writer.h"

#include <algorithm>
#include <array>

#include "store/base/contract.h"

namespace kvfs {

using format::BlockPointer;

AllocatorWriter::~AllocatorWriter() {
  for (const Run& run : pinned_) maps_[kBlocks]->Unpin(run);
}

void AllocatorWriter::Add(Map map, uint64_t bitmap) {
  auto add = [&](uint32_t level, uint64_t index) {
    const Node node{level, map, index};
    if (places_.try_emplace(node, 0).second) without_place_.push_back(node);
  };
  highest_[map] = std::max(highest_[map], bitmap);
  const uint32_t on_disk = maps_[map]->root().levels;
  levels_[map] = std::max({levels_[map], on_disk, BlockAllocator::LevelsFor(highest_[map])});
  uint64_t index = bitmap;
  for (uint32_t level = 0; level < levels_[map]; ++level, index /= kMapFanout) add(level, index);
  // If the map gains levels, the old root gets blocks above it.
  for (uint32_t level = std::max(on_disk, 1u); level < levels_[map]; ++level) add(level, 0);
}

Result<void> AllocatorWriter::Prepare() {
  for (const Map map : {kPages, kBlocks}) {
    KVFS_ASSIGN(const std::set<uint64_t> bitmaps, maps_[map]->LoadClosed());
    for (const uint64_t bitmap : bitmaps) Add(map, bitmap);
  }
  while (!without_place_.empty()) {
    const Node node = without_place_.back();
    without_place_.pop_back();
    KVFS_TRY(FindPlace(node));
  }
  is_prepared_ = true;
  return {};
}

// The node's new block and its old one both change bitmaps of the block map.
Result<void> AllocatorWriter::FindPlace(Node node) {
  const auto& [level, map, index] = node;
  BlockAllocator& blocks = *maps_[kBlocks];
  KVFS_ASSIGN(const BlockPointer old, maps_[map]->PointerTo(level, index));
  Run place = blocks.Pin(1);
  if (place.count == 0) {
    KVFS_TRY(blocks.Preallocate(without_place_.size() + 1));
    place = blocks.Pin(1);
  }
  if (place.count == 0) return Fail(ErrorCode::kNoSpace, "no block is left for an allocation map");
  pinned_.push_back(place);
  places_[node] = place.first;
  Add(kBlocks, place.first / kMapNumbers);
  if (old.IsHole()) return {};
  freed_.push_back(old.number);
  KVFS_ASSIGN(const bool is_readable, blocks.LoadBitmap(old.number / kMapNumbers));
  if (is_readable) Add(kBlocks, old.number / kMapNumbers);
  return {};
}

Result<void> AllocatorWriter::Write() {
  KVFS_REQUIRE(std::exchange(is_prepared_, false), "allocation maps have their places first");
  maps_[kBlocks]->AddToClosed(pinned_, freed_);
  pinned_.clear();
  for (const Map map : {kPages, kBlocks}) {
    maps_[map]->Settle();
    if (levels_[map] > 0) maps_[map]->GrowTo(highest_[map]);
  }
  for (const auto& [node, place] : places_) KVFS_TRY(WriteNode(node, place));
  return {};
}

Result<void> AllocatorWriter::WriteNode(Node node, uint64_t place) {
  const auto& [level, map, index] = node;
  std::array<std::byte, format::kBlockBytes> bytes;
  if (level == 0) {
    maps_[map]->CopyBitmap(index, bytes);
  } else {
    maps_[map]->CopyPointers(level, index, bytes);
  }
  KVFS_TRY(file_->WriteOver(place, bytes));
  maps_[map]->SetPointer(level, index, {place, file_->ChecksumOf(bytes)});
  return {};
}

}  // namespace kvfs
