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

// What malloc gives for a large value begins 16 bytes behind a page, and blocks begin at one. Where
// the destination is so little ahead of the source, modulo 4096, each load waits for a store that
// seems to be to its address, and a copy takes more than twice the time; but not in pieces that
// memcpy loads into registers before it stores.
void CopyBlocks(std::byte* to, Bytes from) {
  constexpr size_t kPage = 4096, kNear = 64, kPieceBytes = 256;
  const size_t ahead =
      (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from.data())) % kPage;
  if (ahead == 0 || ahead >= kNear) return CopyBytes(to, from);
  for (size_t at = 0; at < from.size(); at += kPieceBytes) {
    size_t count = std::min(kPieceBytes, from.size() - at);
    asm("" : "+r"(count));  // a compiler that knows how little it is puts a string move here
    std::memcpy(to + at, from.data() + at, count);
  }
}

}  // namespace

uint64_t BlockFile::ChecksumOf(Bytes block) const {
  return format::Checksum(block, checksum_seed_);
}

Result<const std::byte*> BlockFile::View(BlockPointer first, size_t count) const {
  // Rows are of the file only: one that is written over meanwhile is read again (reading.h).
  if (has_kept_ && count == 1) {
    std::lock_guard lock(mutex_);
    if (auto kept = kept_.find(first.number); kept != kept_.end()) return kept->second->data();
  }
  if (first.number >= format::kMaxNumber) return DamagedBlock(first);
  auto bytes = file_->View(first.number * kBlockBytes, count * kBlockBytes);
  // A pointer beyond the file's end is damage of whoever holds it, or of the file's length.
  if (!bytes) return DamagedBlock(first);
  return *bytes;
}

size_t BlockFile::RowLength(std::span<const BlockPointer> blocks) const {
  const uint64_t view_blocks = file_->ViewWindowBytes() / kBlockBytes;
  const uint64_t first = blocks.front().number;
  if (blocks.front().ReadsAsZeros() || first >= format::kMaxNumber || has_kept_) return 1;
  const size_t most = std::min<uint64_t>(blocks.size(), view_blocks - first % view_blocks);
  size_t count = 1;
  while (count < most && blocks[count].number == first + count) ++count;
  return count;
}

Result<void> BlockFile::ReadRow(std::span<const BlockPointer> row, uint32_t offset,
                                MutableBytes out) const {
  if (row.front().ReadsAsZeros()) {
    std::ranges::fill(out, std::byte{0});
    return {};
  }
  const uint64_t faults = file_->ViewFaults();
  KVFS_ASSIGN(const std::byte* bytes, View(row.front(), row.size()));
  CopyBlocks(out.data(), {bytes + offset, out.size()});
  for (size_t i = 0; i < row.size(); ++i) {
    if (verified_.Contains(row[i].number, row[i].checksum, faults)) continue;
    const size_t begin = i * kBlockBytes;
    const bool is_whole = begin >= offset && begin + kBlockBytes <= offset + out.size();
    const std::byte* checked = is_whole ? out.data() + (begin - offset) : bytes + begin;
    if (ChecksumOf({checked, kBlockBytes}) != row[i].checksum) return DamagedBlock(row[i]);
    if (file_->ViewFaults() == faults) verified_.Insert(row[i].number, row[i].checksum, faults);
  }
  // Where the disk has failed to deliver a page there are zeros in its place.
  if (file_->ViewFaults() != faults) return DamagedBlock(row.front());
  return {};
}

Result<void> BlockFile::Check(BlockPointer block) const {
  if (block.ReadsAsZeros()) return {};
  Block copy;
  KVFS_ASSIGN(const std::byte* bytes, View(block, 1));
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
