// Reading, listing, and the path of a change.
#include "store/engine.h"

#include <algorithm>
#include <mutex>

namespace kvfs {

using format::Entry;
using format::RecordKey;

namespace {

std::string Readable(std::string_view name) {
  std::string out;
  for (char byte : name) {
    const bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
    if (plain) {
      out += byte;
    } else {
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto value = static_cast<unsigned char>(byte);
      out += {'\\', 'x', kHex[value >> 4], kHex[value & 15]};
    }
  }
  return out;
}

// How much of [offset, offset + wanted) lies within the content.
size_t Available(uint64_t size, uint64_t offset, size_t wanted) {
  return offset >= size ? 0 : static_cast<size_t>(std::min<uint64_t>(wanted, size - offset));
}

EntryInfo InfoOf(const Entry& entry, uint64_t inline_limit) {
  const bool is_inline = entry.size <= inline_limit;
  return {entry.id, entry.size, is_inline ? entry.size : entry.blocks * format::kBlockBytes,
          std::string(entry.meta)};
}

}  // namespace

namespace {

Result<void> CheckSpace(Space space) {
  if (space < format::kFirstOwnSpace) return {};
  return Fail(ErrorCode::kInvalid, "a space must be below 2^63");
}

// Notices when the disk failed to deliver a mapped page of the shard, which then shows as zeros:
// what was decoded since the watch began proves nothing.
class FaultWatch {
 public:
  explicit FaultWatch(const Shard& shard) : shard_(shard), faults_(shard.ViewFaults()) {}
  Result<void> Check() const {
    if (shard_.ViewFaults() == faults_) return {};
    return Fail(ErrorCode::kCorrupt, "the disk failed to deliver a page of the keys file");
  }

 private:
  const Shard& shard_;
  const uint64_t faults_;
};

}  // namespace

Engine::Engine(std::unique_ptr<EngineParts> parts)
    : parts_(std::move(parts)),
      placement_(parts_->identity),
      applier_(&parts_->shards, &placement_) {}

Engine::~Engine() {
  if (!closed_) static_cast<void>(Close());
}

Result<void> Engine::Close() {
  closed_ = true;
  auto result = parts_->checkpointer->Run(Checkpointer::Purpose::kClose);
  parts_->checkpointer.reset();
  parts_->lock.reset();
  return result;
}

Error Engine::Report(Error error, Key key) const {
  if (error.code != ErrorCode::kCorrupt) return error;
  const uint32_t shard = placement_.ShardOf(placement_.PositionOf(key.name));
  error.message = "entry \"" + Readable(key.name) + "\" of space " + std::to_string(key.space) +
                  ", shard " + std::to_string(shard) + ": " + error.message;
  if (parts_->options.log) parts_->options.log(error.message);
  return error;
}

Result<EntryInfo> Engine::Stat(Key key) const {
  const RecordKey record = placement_.RecordKeyOf(key.space, key.name);
  const Shard& shard = *parts_->shards[placement_.ShardOf(record.position)];
  KVFS_TRY(CheckSpace(key.space));
  std::shared_lock lock(shard.mutex);
  const FaultWatch watch(shard);
  auto entry = shard.Find(record);
  EntryInfo info;
  if (entry) info = InfoOf(*entry, shard.inline_limit());
  if (auto sound = watch.Check(); !sound) entry = tl::unexpected(std::move(sound).error());
  if (!entry) return tl::unexpected(Report(std::move(entry).error(), key));
  return info;
}

Result<size_t> Engine::Read(Key key, uint64_t offset, MutableBytes out) const {
  const RecordKey record = placement_.RecordKeyOf(key.space, key.name);
  const Shard& shard = *parts_->shards[placement_.ShardOf(record.position)];
  KVFS_TRY(CheckSpace(key.space));
  auto count = ReadInline(shard, record, offset, out);
  if (count && !*count) count = ReadBlocks(record, offset, out);
  if (!count) return tl::unexpected(Report(std::move(count).error(), key));
  return **count;
}

// Nothing if the content does not lie in the entry.
Result<std::optional<size_t>> Engine::ReadInline(const Shard& shard, const RecordKey& record,
                                                 uint64_t offset, MutableBytes out) const {
  std::shared_lock lock(shard.mutex);
  const FaultWatch watch(shard);
  auto entry = shard.Find(record);
  std::optional<size_t> count;
  if (entry && entry->size <= shard.inline_limit()) {
    count = Available(entry->size, offset, out.size());
    if (*count > 0) CopyBytes(out.data(), entry->content.subspan(offset, *count));
  }
  KVFS_TRY(watch.Check());
  if (!entry) return tl::unexpected(std::move(entry).error());
  return count;
}

// The entry and its content may lie in two shards, whose locks have an order; between the look that
// tells which and the locks the entry may change, so the look is repeated under them.
Result<std::optional<size_t>> Engine::ReadBlocks(const RecordKey& record, uint64_t offset,
                                                 MutableBytes out) const {
  const uint32_t index = placement_.ShardOf(record.position);
  uint32_t home = index;
  while (true) {
    std::shared_lock first(parts_->shards[std::min(index, home)]->mutex);
    std::shared_lock<std::shared_mutex> second;
    if (home != index) second = std::shared_lock(parts_->shards[std::max(index, home)]->mutex);
    const Shard& shard = *parts_->shards[index];
    KVFS_ASSIGN(Entry entry, shard.Find(record));
    const size_t count = Available(entry.size, offset, out.size());
    if (count == 0) return count;
    if (entry.size <= shard.inline_limit()) {
      CopyBytes(out.data(), entry.content.subspan(offset, count));
      return count;
    }
    if (placement_.HomeOf(entry.id) == home) {
      KVFS_TRY(parts_->shards[home]->contents().Read(entry.id, offset, out.first(count)));
      return count;
    }
    home = placement_.HomeOf(entry.id);
  }
}

Result<void> Engine::List(Space space, Position from,
                          const std::function<bool(const ListedEntry&)>& visit) const {
  KVFS_TRY(CheckSpace(space));
  if (from >= uint64_t{1} << 63) return {};
  // Damage in one shard does not hide the others; it is told at the end.
  Result<void> damage;
  for (uint32_t i = placement_.ShardOf(from); i < placement_.shards(); ++i) {
    auto go_on = ListShard(*parts_->shards[i], space, from, visit);
    if (!go_on && go_on.error().code != ErrorCode::kCorrupt) return tl::unexpected(go_on.error());
    if (!go_on) damage = tl::unexpected(std::move(go_on).error());
    if (go_on && !*go_on) return {};
  }
  return damage;
}

Result<bool> Engine::ListShard(const Shard& shard, Space space, Position from,
                               const std::function<bool(const ListedEntry&)>& visit) const {
  std::shared_lock lock(shard.mutex);
  const FaultWatch watch(shard);
  Cursor cursor = shard.NewCursor();
  KVFS_TRY(cursor.Seek({space, from, {}}));
  while (cursor.Valid() && cursor.Key().space == space) {
    const RecordKey key = cursor.Key();
    auto entry = Entry::Decode(cursor.Value(), shard.inline_limit());
    if (!entry) return tl::unexpected(Report(std::move(entry).error(), {space, key.name}));
    if (!visit({key.name, key.position, entry->id, entry->size, entry->meta})) return false;
    KVFS_TRY(cursor.Next());
  }
  KVFS_TRY(watch.Check());
  return true;
}

ShardSet Engine::ShardsOf(const Batch& batch) const {
  ShardSet set;
  for (const Batch::Operation& operation : batch.operations()) {
    set.set(placement_.ShardOf(placement_.PositionOf(operation.key.name)));
    if (operation.kind == Batch::Operation::Kind::kMove) {
      set.set(placement_.ShardOf(placement_.PositionOf(operation.to.name)));
    }
  }
  return set;
}

Result<void> Engine::Apply(const Batch& batch) {
  if (batch.empty()) return {};
  KVFS_TRY(parts_->health->Check());
  KVFS_TRY(parts_->checkpointer->WaitForRoom());
  auto applied = ApplyWithRoom(batch);
  if (applied || applied.error().code != ErrorCode::kNoSpace) return applied;
  // The disk is full, but a checkpoint may free what earlier changes have let go of.
  KVFS_TRY(parts_->checkpointer->Run(Checkpointer::Purpose::kContinue));
  return ApplyWithRoom(batch);
}

Result<void> Engine::ApplyWithRoom(const Batch& batch) {
  Staging staging(parts_->shards, placement_);
  Attempt attempt;
  attempt.locks = ShardsOf(batch);
  do {
    KVFS_TRY(staging.Prepare(batch, attempt.homes));
    attempt.again = false;
    KVFS_TRY(TryOnce(batch, &staging, &attempt));
    if (attempt.again) {
      for (const auto& [index, home] : attempt.homes) staging.Discard(index);
    }
  } while (attempt.again);
  return {};
}

Result<void> Engine::TryOnce(const Batch& batch, Staging* staging, Attempt* attempt) {
  ExclusiveLocks locks(parts_->shards, attempt->locks);
  KVFS_ASSIGN(Plan plan,
              Planner(parts_->shards, placement_, applier_, locks, *staging).Make(batch));
  if (!plan.IsComplete()) {
    attempt->locks |= plan.missing_locks;
    attempt->homes = plan.wanted_homes;
    attempt->again = true;
    return {};
  }
  KVFS_TRY(Reserve(plan));
  return Commit(plan, staging);
}

Result<void> Engine::Reserve(const Plan& plan) {
  for (const auto& [shard, needs] : plan.needs) {
    KVFS_TRY(parts_->shards[shard]->Reserve(needs.pages, needs.blocks, plan.grows));
  }
  return {};
}

// From here on nothing may fail but the disk: the record is the decision.
Result<void> Engine::Commit(const Plan& plan, Staging* staging) {
  if (plan.changes.empty()) return {};
  std::vector<std::byte> record(RedoLog::RecordOverhead());
  for (const format::Change& change : plan.changes) change.AppendTo(&record);
  if (record.size() - RedoLog::RecordOverhead() > parts_->log->MaxPayloadBytes()) {
    return Fail(ErrorCode::kTooLarge, "the batch does not fit into a log segment; split it");
  }
  const uint64_t staged_bytes = staging->StagedBytes();
  if (auto appended = parts_->log->Append(&record); !appended) {
    if (appended.error().code == ErrorCode::kNoSpace) return tl::unexpected(appended.error());
    return parts_->health->Fail("the log could not be written", std::move(appended).error());
  }
  staging->Commit();
  parts_->checkpointer->NoteAppended(record.size(), staged_bytes);
  for (const format::Change& change : plan.changes) {
    if (auto applied = applier_.Apply(change); !applied) {
      // Damage that the plan did not see concerns this entry only.
      if (applied.error().code == ErrorCode::kCorrupt) return applied;
      return parts_->health->Fail("a logged change could not be carried out",
                                  std::move(applied).error());
    }
  }
  for (const auto& [shard, needs] : plan.needs) parts_->shards[shard]->PublishDirty();
  for (const auto& [to, id] : plan.new_ids) *to = id;
  return {};
}

Result<void> Engine::Sync() {
  KVFS_TRY(parts_->health->Check());
  auto synced = parts_->log->SyncTo(parts_->log->appended());
  if (synced) return {};
  return parts_->health->Fail("a sync failed", std::move(synced).error());
}

Result<void> Engine::Checkpoint() {
  return parts_->checkpointer->Run(Checkpointer::Purpose::kContinue);
}

StoreStats Engine::GetStats() const {
  StoreStats stats;
  for (const auto& shard : parts_->shards) {
    std::shared_lock lock(shard->mutex);
    stats.entries += shard->entries();
    stats.page_bytes_used += shard->page_bytes_used();
    stats.block_bytes_used += shard->block_bytes_used();
    stats.reusable_bytes += shard->reusable_bytes();
    stats.file_bytes += shard->FileBytes().value_or(0);
  }
  stats.file_bytes += parts_->log->FileBytes() + format::kSuperblockBytes;
  stats.dirty_bytes = parts_->checkpointer->dirty_bytes();
  stats.epoch = parts_->checkpointer->epoch();
  stats.checkpoints = parts_->checkpointer->checkpoints();
  stats.log_bytes = parts_->checkpointer->log_bytes();
  stats.acknowledged_sequence = parts_->log->appended();
  stats.durable_sequence = parts_->log->durable();
  stats.replayed_records = parts_->replayed_records;
  return stats;
}

Result<DiskSpace> Engine::GetDiskSpace() const { return parts_->env->GetDiskSpace(parts_->path); }

}  // namespace kvfs
