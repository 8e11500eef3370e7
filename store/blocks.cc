// Reading with proof, changing in buffers, writing at once.
#include "store/blocks.h"

#include <algorithm>

#include "store/format/checksum.h"
#include "store/run_writer.h"

namespace kvfs {

using format::BlockPointer;
using format::kBlockBytes;

namespace {

tl::unexpected<Error> DamagedBlock(BlockPointer block) {
  return Fail(ErrorCode::kCorrupt, "block " + std::to_string(block.number) + " at offset " +
                                       std::to_string(block.number * kBlockBytes) +
                                       " fails its checksum");
}

}  // namespace

Blocks::Blocks(File* file, SpaceMap* space, uint64_t checksum_seed, uint64_t open_epoch)
    : file_(file), space_(space), checksum_seed_(checksum_seed), open_epoch_(open_epoch) {}

Result<void> Blocks::Read(BlockPointer block, uint32_t offset, MutableBytes out) const {
  if (block.IsHole()) {
    std::ranges::fill(out, std::byte{0});
    return {};
  }
  const auto buffered = buffers_.find(block.number);
  if (buffered != buffers_.end()) {
    if (buffered->second.damaged) return DamagedBlock(block);
    CopyBytes(out.data(), {buffered->second.bytes.get() + offset, out.size()});
    return {};
  }
  constexpr uint64_t kMaxBlocks = uint64_t{1} << 50;
  if (block.number >= kMaxBlocks) return DamagedBlock(block);
  KVFS_ASSIGN(const uint64_t file_bytes, file_->SizeBytes());
  if ((block.number + 1) * kBlockBytes > file_bytes) return DamagedBlock(block);
  KVFS_ASSIGN(const std::byte* bytes, file_->View(block.number * kBlockBytes, kBlockBytes));
  // Of a whole block the copy is checked, and so exactly what the caller gets.
  CopyBytes(out.data(), {bytes + offset, out.size()});
  const Bytes checked = out.size() == kBlockBytes ? Bytes(out) : Bytes(bytes, kBlockBytes);
  if (format::Checksum(checked, checksum_seed_) != block.checksum) return DamagedBlock(block);
  return {};
}

Result<void> Blocks::Check(BlockPointer block) const {
  std::byte copy[kBlockBytes];
  return Read(block, 0, copy);
}

// The open epoch's buffer of the block, which `block` then names; with the block's bytes unless
// they are all `replaced`.
Blocks::Buffer& Blocks::WritableBuffer(BlockPointer* block, bool replaced) {
  const auto found = buffers_.find(block->number);
  if (found != buffers_.end() && found->second.epoch == open_epoch_) return found->second;
  Buffer fresh{open_epoch_, false, std::make_unique_for_overwrite<std::byte[]>(kBlockBytes)};
  if (!replaced) fresh.damaged = !Read(*block, 0, {fresh.bytes.get(), kBlockBytes});
  if (!block->IsHole()) Free(*block);
  block->number = space_->Allocate();
  return buffers_[block->number] = std::move(fresh);
}

BlockPointer Blocks::Modify(BlockPointer block, uint32_t offset, Bytes data) {
  const bool replaced = data.size() == kBlockBytes;
  Buffer& buffer = WritableBuffer(&block, replaced);
  if (replaced) buffer.damaged = false;
  CopyBytes(buffer.bytes.get() + offset, data);
  block.checksum = format::Checksum({buffer.bytes.get(), kBlockBytes}, checksum_seed_);
  if (buffer.damaged) block.checksum = ~block.checksum;
  return block;
}

void Blocks::Free(BlockPointer block) {
  const auto found = buffers_.find(block.number);
  if (found != buffers_.end() && found->second.epoch == open_epoch_) {
    buffers_.erase(found);
    space_->FreeNow(block.number);
  } else {
    space_->FreeLater(block.number);
  }
}

Result<std::vector<BlockPointer>> Blocks::WriteNow(const std::vector<uint64_t>& numbers,
                                                   Bytes data) {
  std::vector<BlockPointer> pointers;
  pointers.reserve(numbers.size());
  size_t begin = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    pointers.push_back(
        {numbers[i], format::Checksum(data.subspan(i * kBlockBytes, kBlockBytes), checksum_seed_)});
    if (i + 1 < numbers.size() && numbers[i + 1] == numbers[i] + 1) continue;
    KVFS_TRY(file_->Write(numbers[begin] * kBlockBytes,
                          data.subspan(begin * kBlockBytes, (i + 1 - begin) * kBlockBytes)));
    begin = i + 1;
  }
  unsynced_ = true;
  return pointers;
}

Result<void> Blocks::SyncWritten() {
  if (!unsynced_.exchange(false)) return {};
  return file_->Sync();
}

void Blocks::CloseEpoch() {
  frozen_.clear();
  for (const auto& [number, buffer] : buffers_) frozen_.emplace_back(number, buffer.bytes.get());
  ++open_epoch_;
}

Result<void> Blocks::WriteFrozen() {
  auto ascending = frozen_;
  std::ranges::sort(ascending);
  RunWriter writer(file_);
  for (const auto& [number, bytes] : ascending) {
    KVFS_ASSIGN(std::byte * to, writer.Add(number * kBlockBytes, kBlockBytes));
    std::memcpy(to, bytes, kBlockBytes);
  }
  return writer.Flush();
}

void Blocks::DropFrozen() {
  for (const auto& [number, bytes] : frozen_) buffers_.erase(number);
  frozen_.clear();
}

}  // namespace kvfs
