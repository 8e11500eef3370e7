// The pages of a piece are looked at before the lock is taken.
#include "store/reclaimer.h"

#include <algorithm>

#include "store/executor.h"
#include "store/record_cursor.h"

namespace kvfs {

using format::Change;

Result<void> Reclaimer::Run() {
  for (uint32_t shard = 0; shard < shards_.size(); ++shard) {
    bool has_more = true;
    while (has_more) {
      KVFS_ASSIGN(has_more, FreeOnePiece(shard));
    }
  }
  return {};
}

std::optional<uint64_t> Reclaimer::FirstDead(uint32_t shard) const {
  ShardPin pin;
  {
    std::shared_lock lock(shards_[shard]->mutex);
    if (shards_[shard]->dead_contents() == 0) return std::nullopt;
    pin = shards_[shard]->Pin();
  }
  RecordCursor cursor(std::move(pin), Memtable::kNewest, &shards_[shard]->mutex);
  for (cursor.Seek({format::kDeadSpace, 0, {}}, format::kDeadSpace); cursor.Valid();
       cursor.Next()) {
    const uint64_t content = cursor.Record().key.position;
    if (std::ranges::find(damaged_, content) == damaged_.end()) return content;
  }
  return std::nullopt;
}

// Behind the last of the first kMaxReclaimedChunks chunks that are left.
uint64_t Reclaimer::EndOfPiece(uint32_t shard, uint64_t content) const {
  ShardPin pin;
  {
    std::shared_lock lock(shards_[shard]->mutex);
    pin = shards_[shard]->Pin();
  }
  const uint64_t space = format::ContentSpace(content);
  RecordCursor cursor(std::move(pin), Memtable::kNewest, &shards_[shard]->mutex);
  uint64_t end = 0;
  cursor.Seek({space, 0, {}}, space);
  for (uint64_t count = 0; cursor.Valid() && count < kMaxReclaimedChunks; ++count) {
    end = cursor.Record().key.position + 1;
    cursor.Next();
  }
  return end;
}

// False if there was nothing to free.
Result<bool> Reclaimer::FreeOnePiece(uint32_t shard) {
  const std::optional<uint64_t> content = FirstDead(shard);
  if (!content) return false;
  Change change;
  change.kind = Change::Kind::kReclaim;
  change.content = *content;
  change.end = EndOfPiece(shard, *content);
  KVFS_TRY(CheckChange(change, static_cast<uint32_t>(shards_.size())));
  ShardSet set;
  set.set(shard);
  ExclusiveLocks locks(shards_, set);
  Transaction transaction(shards_, locks, snapshots_.newest());
  Executor executor(&transaction, &placement_, shards_[shard]->inline_limit());
  auto done = executor.Execute(change);
  // Of a shard that is not the content's home it can only be by damage.
  const bool is_damaged =
      !done && (done.error().code == ErrorCode::kCorrupt || done.error().code == ErrorCode::kRetry);
  if (is_damaged) {
    damaged_.push_back(*content);
    return true;
  }
  KVFS_TRY(done);
  std::vector<std::byte> record(RedoLog::RecordOverhead());
  change.AppendTo(&record);
  KVFS_TRY(Commit(target_, &transaction, &record, 0));
  return true;
}

}  // namespace kvfs
