// The pages of a piece are read before the lock is taken.
#include "store/txn/orphan_reclaimer.h"

#include <algorithm>

#include "store/base/contract.h"
#include "store/base/retry.h"
#include "store/format/chunk.h"
#include "store/shard/record_cursor.h"
#include "store/txn/change_applier.h"

namespace kvfs {

using format::Change;

namespace {

// Chunks freed under one hold of a shard's lock: up to 16 MiB of blocks.
constexpr uint64_t kPieceChunks = 128;
// Approximate memory used until the checkpoint: by an erased record; and by the number of a freed
// block, which is in two lists.
constexpr uint64_t kErasedRecordBytes = 96;
constexpr uint64_t kFreedBlockBytes = 16;

}  // namespace

// A finished content is not searched again: its erased records stay in memory for a while.
Result<bool> OrphanReclaimer::Run(const std::function<bool(uint64_t bytes)>& has_room) {
  KVFS_REQUIRE(target_.log->CanAppend(), "the log is begun before anything is reclaimed");
  uint64_t bytes = 0;
  bool has_more = false;
  for (uint32_t shard = 0; shard < shards_.size(); ++shard) {
    auto orphan = NextOrphan(shard, 0);
    while (orphan && has_room(bytes)) {
      KVFS_ASSIGN(const Piece piece, FreeOnePiece(shard, *orphan));
      bytes += piece.bytes;
      orphan = piece.is_last ? NextOrphan(shard, orphan->content + 1)
                             : Orphan{orphan->content, piece.end};
    }
    has_more |= orphan.has_value();
  }
  return has_more && bytes > 0;
}

// The first content from `from` on.
std::optional<OrphanReclaimer::Orphan> OrphanReclaimer::NextOrphan(uint32_t shard,
                                                                   uint64_t from) const {
  ShardPin pin;
  {
    SharedLock lock(shards_[shard]->mutex);
    if (shards_[shard]->orphaned_contents() == 0) return std::nullopt;
    pin = shards_[shard]->Pin();
  }
  RecordCursor cursor(std::move(pin), Memtable::kNewest, &shards_[shard]->mutex);
  for (cursor.Seek({format::kOrphanDirectory, from, {}}, format::kOrphanDirectory); cursor.Valid();
       cursor.Next()) {
    const uint64_t content = cursor.Record().key.position;
    if (std::ranges::find(damaged_, content) != damaged_.end()) continue;
    return Orphan{content, format::DecodeFirstLeft(cursor.Record().value)};
  }
  return std::nullopt;
}

// The end of the first kPieceChunks remaining chunks, and their number.
std::pair<uint64_t, uint64_t> OrphanReclaimer::EndOfPiece(uint32_t shard,
                                                          const Orphan& orphan) const {
  ShardPin pin;
  {
    SharedLock lock(shards_[shard]->mutex);
    pin = shards_[shard]->Pin();
  }
  const uint64_t directory = format::ContentDirectory(orphan.content);
  RecordCursor cursor(std::move(pin), Memtable::kNewest, &shards_[shard]->mutex);
  uint64_t end = orphan.first, count = 0;
  cursor.Seek({directory, orphan.first, {}}, directory);
  for (; cursor.Valid() && count < kPieceChunks; ++count) {
    end = cursor.Record().key.position + 1;
    cursor.Next();
  }
  return {end, count};
}

Result<OrphanReclaimer::Piece> OrphanReclaimer::FreeOnePiece(uint32_t shard, const Orphan& orphan) {
  const auto [end, count] = EndOfPiece(shard, orphan);
  Change change;
  change.kind = Change::Kind::kReclaim;
  change.content = orphan.content;
  change.end = end;
  if (!CheckChange(change, static_cast<uint32_t>(shards_.size()))) {
    damaged_.push_back(orphan.content);
    return Piece{};
  }
  ShardSet set;
  set.set(shard);
  ExclusiveLocks locks(shards_, set);
  Transaction transaction(shards_, locks, snapshots_.newest());
  ChangeApplier applier(&transaction, &placement_, shards_[shard]->inline_limit());
  auto done = applier.Execute(change, {});
  // A record in a shard that is not the content's owner can only come from damage.
  const bool is_damaged =
      !done && (done.error().code == ErrorCode::kCorrupt || done.error().code == kRetry);
  if (is_damaged) {
    damaged_.push_back(orphan.content);
    return Piece{};
  }
  KVFS_TRY(done);
  std::vector<std::byte> record(RedoLog::RecordOverhead());
  change.AppendTo(&record);
  Piece piece;
  piece.end = end;
  piece.bytes =
      (count + 1) * kErasedRecordBytes + transaction.FreedBlocks(shard) * kFreedBlockBytes;
  piece.is_last = !transaction.Find(shard, {format::kOrphanDirectory, orphan.content, {}});
  KVFS_TRY(Commit(target_, &transaction, &record, 0));
  return piece;
}

}  // namespace kvfs
