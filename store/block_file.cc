// Copies are checked, not the mapping, wherever a whole block is read: then it is proven of exactly
// the bytes that the caller gets.
#include "store/block_file.h"

#include <algorithm>

#include "store/format/checksum.h"

namespace kvfs {

using format::BlockPointer;
using format::kBlockBytes;

namespace {

tl::unexpected<Error> DamagedBlock(BlockPointer block) {
  return Fail(ErrorCode::kCorrupt, "block " + std::to_string(block.Place()) + " at offset " +
                                       std::to_string(block.Place() * kBlockBytes) +
                                       " fails its checksum");
}

}  // namespace

uint64_t BlockFile::ChecksumOf(Bytes block) const {
  return format::Checksum(block, checksum_seed_);
}

Result<const std::byte*> BlockFile::View(BlockPointer block) const {
  if (has_kept_) {
    std::lock_guard lock(mutex_);
    if (auto kept = kept_.find(block.number); kept != kept_.end()) return kept->second->data();
  }
  if (block.number >= format::kMaxNumber) return DamagedBlock(block);
  auto bytes = file_->View(block.number * kBlockBytes, kBlockBytes);
  // A pointer beyond the file's end is damage of whoever holds it, or of the file's length.
  if (!bytes) return DamagedBlock(block);
  return *bytes;
}

Result<void> BlockFile::Read(BlockPointer block, uint32_t offset, MutableBytes out) const {
  if (block.ReadsAsZeros()) {
    std::ranges::fill(out, std::byte{0});
    return {};
  }
  const uint64_t faults = file_->ViewFaults();
  KVFS_ASSIGN(const std::byte* bytes, View(block));
  CopyBytes(out.data(), {bytes + offset, out.size()});
  if (verified_.Contains(block.number, block.checksum, faults) && file_->ViewFaults() == faults) {
    return {};
  }
  const Bytes checked = out.size() == kBlockBytes ? Bytes(out) : Bytes(bytes, kBlockBytes);
  if (ChecksumOf(checked) != block.checksum || file_->ViewFaults() != faults) {
    return DamagedBlock(block);
  }
  verified_.Insert(block.number, block.checksum, faults);
  return {};
}

Result<void> BlockFile::Check(BlockPointer block) const {
  if (block.ReadsAsZeros()) return {};
  Block copy;
  KVFS_ASSIGN(const std::byte* bytes, View(block));
  std::memcpy(copy.data(), bytes, kBlockBytes);
  if (ChecksumOf(copy) != block.checksum) return DamagedBlock(block);
  return {};
}

Result<void> BlockFile::Write(uint64_t first, Bytes data) {
  if (!read_only_) return file_->Write(first * kBlockBytes, data);
  Keep(first, data);
  return {};
}

Result<void> BlockFile::WriteOver(uint64_t first, Bytes data) {
  auto written = Write(first, data);
  if (!written) Keep(first, data);
  return written;
}

void BlockFile::Keep(uint64_t first, Bytes data) {
  std::lock_guard lock(mutex_);
  for (size_t at = 0; at < data.size(); at += kBlockBytes) {
    auto block = std::make_unique<Block>();
    CopyBytes(block->data(), data.subspan(at, kBlockBytes));
    kept_[first + at / kBlockBytes] = std::move(block);
  }
  has_kept_ = true;
}

Result<void> BlockFile::WriteNamed(uint64_t first, Bytes data) {
  KVFS_TRY(Write(first, data));
  has_unsynced_ = true;
  return {};
}

// The mark goes before the flush: what is written meanwhile asks for another.
Result<void> BlockFile::SyncNamed() {
  if (!has_unsynced_.exchange(false)) return {};
  return file_->Sync();
}

}  // namespace kvfs
