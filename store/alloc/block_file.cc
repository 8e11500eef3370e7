// The checksum is verified on the copy, not on the mapping: so it covers exactly the bytes that the
// caller gets.
#include "store/alloc/block_file.h"

#include <algorithm>

#include "store/alloc/file_view.h"
#include "store/base/failure_latch.h"
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

// malloc places a large value 16 bytes after a page boundary, and blocks begin at one. With the
// destination so little ahead of the source, modulo 4096, each load waits for an earlier store that
// seems to alias it (4K aliasing), and a copy takes more than twice the time; but not in pieces
// that memcpy loads into registers before it stores.
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
  // Rows are read from the file only: a row overwritten meanwhile is read again (read_view.h).
  if (has_kept_ && count == 1) {
    const MutexLock lock(mutex_);
    if (auto kept = kept_.find(first.number); kept != kept_.end()) return kept->second->data();
  }
  return file_->View(first.number * kBlockBytes, count * kBlockBytes);
}

// Reads the row; if the view may have shown zeros, refreshes it and reads again. If the disk cannot
// deliver the row then, or it lies beyond the file's end, something is damaged: the block, the
// pointer to it, or the file's length.
template <typename Look>
Result<void> BlockFile::LookAgain(std::span<const BlockPointer> row, Look look) const {
  if (row.front().number >= format::kMaxNumber) return DamagedBlock(row.front());
  for (int looks = 0; looks < kMostLooks; ++looks) {
    const uint64_t faults = file_->ViewFaults();
    auto looked = look();
    if (looked || !MayBeHidden(looked.error(), *file_)) return looked;
    const bool is_what_shows = looks > 0 && file_->ViewFaults() == faults;
    if (is_what_shows && looked.error().code == ErrorCode::kCorrupt) return looked;
    if (is_what_shows) return DamagedBlock(row.front());
    auto refreshed = file_->RefreshView(row.front().number * kBlockBytes, row.size() * kBlockBytes);
    if (!refreshed && refreshed.error().code == ErrorCode::kIo) return DamagedBlock(row.front());
    KVFS_TRY(refreshed);
  }
  return Fail(ErrorCode::kUnavailable, "the disk fails to deliver pages of the values file");
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

// To read a part, copies the whole block to a buffer first.
Result<void> BlockFile::CopyProven(BlockPointer block, const std::byte* from, uint32_t offset,
                                   MutableBytes out) const {
  const bool is_whole = out.size() == kBlockBytes;
  Block aside;
  std::byte* const copy = is_whole ? out.data() : aside.data();
  CopyBlocks(copy, {from, kBlockBytes});
  if (ChecksumOf({copy, kBlockBytes}) != block.checksum) return DamagedBlock(block);
  if (!is_whole) CopyBytes(out.data(), Bytes(aside).subspan(offset, out.size()));
  return {};
}

Result<void> BlockFile::ReadRow(std::span<const BlockPointer> row, uint32_t offset,
                                MutableBytes out) const {
  if (row.front().ReadsAsZeros()) {
    std::ranges::fill(out, std::byte{0});
    return {};
  }
  return LookAgain(row, [&] { return TryReadRow(row, offset, out); });
}

Result<void> BlockFile::TryReadRow(std::span<const BlockPointer> row, uint32_t offset,
                                   MutableBytes out) const {
  KVFS_ASSIGN(const std::byte* bytes, View(row.front(), row.size()));
  for (const BlockPointer& block : row) {
    const size_t count = std::min<size_t>(out.size(), kBlockBytes - offset);
    KVFS_TRY(CopyProven(block, bytes, offset, out.first(count)));
    bytes += kBlockBytes;
    out = out.subspan(count);
    offset = 0;
  }
  return {};
}

Result<void> BlockFile::Check(BlockPointer block) const {
  Block copy;
  return Read(block, 0, copy);
}

Result<void> BlockFile::Write(uint64_t first, Bytes data) {
  if (read_only_) {
    Keep(first, data);
    return {};
  }
  if (!has_kept_) return file_->Write(first * kBlockBytes, data);
  // Blocks kept from an earlier use of these numbers must be neither read nor written later.
  const MutexLock lock(mutex_);
  kept_.erase(kept_.lower_bound(first), kept_.lower_bound(first + data.size() / kBlockBytes));
  return file_->Write(first * kBlockBytes, data);
}

Result<void> BlockFile::WriteOver(uint64_t first, Bytes data) {
  auto written = Write(first, data);
  if (written) return {};
  Keep(first, data);
  return MayBeRepeated(written.error()) ? Result<void>() : written;
}

void BlockFile::Keep(uint64_t first, Bytes data) {
  const MutexLock lock(mutex_);
  for (size_t at = 0; at < data.size(); at += kBlockBytes) {
    auto block = std::make_unique<Block>();
    CopyBytes(block->data(), data.subspan(at, kBlockBytes));
    kept_[first + at / kBlockBytes] = std::move(block);
  }
  has_kept_ = true;
}

// Under the lock, so that no newer bytes are written to the same block meanwhile.
Result<void> BlockFile::WriteKept() {
  if (!has_kept_ || read_only_) return {};
  const MutexLock lock(mutex_);
  while (!kept_.empty()) {
    const auto& [number, block] = *kept_.begin();
    KVFS_TRY(file_->Write(number * kBlockBytes, *block));
    kept_.erase(kept_.begin());
  }
  has_kept_ = false;
  return {};
}

Result<void> BlockFile::WriteNamed(uint64_t first, Bytes data) {
  KVFS_TRY(Write(first, data));
  ++named_writes_;
  return {};
}

void BlockFile::NoteReplayed(uint64_t block) {
  ++named_writes_;
  has_replayed_ = true;
  const MutexLock lock(mutex_);
  if (!replayed_.empty() && replayed_.back().first + replayed_.back().count == block) {
    ++replayed_.back().count;
  } else {
    replayed_.push_back({block, 1});
  }
}

// Writes the same bytes to the same places: a crash in the middle does no harm. Concurrent callers
// wait for its end.
Result<void> BlockFile::RewriteReplayed() {
  constexpr uint64_t kPieceBlocks = 256;
  if (!has_replayed_) return {};
  const MutexLock lock(mutex_);
  while (!replayed_.empty()) {
    Row& row = replayed_.back();
    const uint64_t count = std::min(row.count, kPieceBlocks);
    KVFS_TRY(Rewrite(row.first, count));
    row.first += count;
    row.count -= count;
    if (row.count == 0) replayed_.pop_back();
  }
  has_replayed_ = false;
  return {};
}

// An unreadable block is damaged; its readers will get the error.
Result<void> BlockFile::Rewrite(uint64_t first, uint64_t count) {
  std::vector<std::byte> bytes(count * kBlockBytes);
  if (file_->Read(first * kBlockBytes, bytes)) return file_->Write(first * kBlockBytes, bytes);
  for (uint64_t i = 0; count > 1 && i < count; ++i) KVFS_TRY(Rewrite(first + i, 1));
  return {};
}

// While another thread's flush is in progress, its result is unknown: sync the file in that case,
// too.
Result<void> BlockFile::SyncNamed() {
  if (named_durable_ >= named_writes_) return {};
  return Flush();
}

Result<void> BlockFile::Sync() {
  KVFS_TRY(WriteKept());
  return Flush();
}

Result<void> BlockFile::Flush() {
  const uint64_t written = named_writes_;
  KVFS_TRY(RewriteReplayed());
  KVFS_TRY(file_->Sync());
  uint64_t durable = named_durable_;
  while (durable < written && !named_durable_.compare_exchange_weak(durable, written)) {
  }
  return {};
}

}  // namespace kvfs
