// The path of a change.
#include "store/engine/engine.h"

#include <algorithm>
#include <new>

#include "store/base/retry.h"
#include "store/engine/checker.h"
#include "store/engine/engine_snapshot.h"
#include "store/txn/batch_resolver.h"
#include "store/txn/large_cut.h"

namespace kvfs {
namespace {

// Increments a counter while it lives, if asked to.
class Counted {
 public:
  Counted(std::atomic<int>* count, bool counts) : count_(counts ? count : nullptr) {
    if (count_ != nullptr) ++*count_;
  }
  ~Counted() {
    if (count_ != nullptr) --*count_;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<int>* count_;
};

// Blocks that ReserveSpace will need in addition; reserving them now saves a retry.
constexpr uint64_t kForAllocationMaps = 16;

}  // namespace

Engine::Engine(std::unique_ptr<EngineParts> parts)
    : parts_(std::move(parts)),
      newest_(&parts_->shards, parts_->placement.get(), &parts_->options.log) {
  newest_.SetLogDamage(parts_->log_damage);
}

Engine::~Engine() {
  if (!closed_) static_cast<void>(Close());
}

Result<void> Engine::Close() {
  closed_ = true;
  Result<void> result;
  if (parts_->checkpointer) {
    result = WithinMemory([&] { return parts_->checkpointer->Run(CheckpointPurpose::kClose); });
    // A full disk has no room for the last checkpoint: then the log is synced instead, and the next
    // opening replays it.
    if (!result && result.error().code == ErrorCode::kNoSpace) result = Sync();
    parts_->checkpointer.reset();
  }
  parts_->lock.reset();
  return result;
}

Result<void> Engine::Damage() const {
  if (parts_->log_damage.empty()) return {};
  return Fail(ErrorCode::kCorrupt, parts_->log_damage);
}

Result<void> Engine::RequireWritable() const {
  if (parts_->checkpointer) return parts_->failure_latch->Check();
  if (!parts_->no_room.empty()) return Fail(ErrorCode::kNoSpace, parts_->no_room);
  return Fail(ErrorCode::kReadOnly, "the store was opened for reading only");
}

Result<void> Engine::Apply(const Batch& batch) {
  return WithinMemory([&] { return TryApply(batch); });
}

Result<void> Engine::TryApply(const Batch& batch) {
  if (batch.empty()) return {};
  KVFS_TRY(RequireWritable());
  const PlacedBatch placed(*parts_->placement, batch);
  bool has_more = true;
  while (has_more) {
    KVFS_ASSIGN(has_more, TryApplyPart(placed));
  }
  KVFS_TRY(parts_->checkpointer->WaitForRoom());
  return ApplyAtOnce(placed);
}

Result<void> Engine::ApplyAtOnce(const PlacedBatch& batch) {
  // The room belongs to the thread that makes it: wait for that.
  if (makes_room_.load(std::memory_order_relaxed)) const MutexLock wait(full_disk_);
  auto applied = ApplyWithRoom(batch);
  if (!applied && applied.error().code == ErrorCode::kNoSpace) applied = ApplyOnFullDisk(batch);
  if (applied || applied.error().code != ErrorCode::kIo) return applied;
  return NoteIfWriteFailed(std::move(applied).error());
}

// Space freed by earlier changes, and space preallocated in other files, can be reused. The disk is
// full only when checkpoints yield no more.
Result<void> Engine::ApplyOnFullDisk(const PlacedBatch& batch) {
  constexpr int kMostInVain = 2;
  const MutexLock lock(full_disk_);
  makes_room_ = true;
  Result<void> applied;
  for (int in_vain = 0; in_vain < kMostInVain;) {
    // Batches that began before this one may still take some of the room, or release some.
    const bool is_alone = staging_ == 0;
    const uint64_t before = OccupiedBytes();
    applied = parts_->checkpointer->MakeRoom();
    if (applied) applied = ApplyWithRoom(batch);
    if (applied || applied.error().code != ErrorCode::kNoSpace) break;
    if (is_alone) in_vain = OccupiedBytes() < before ? 0 : in_vain + 1;
  }
  makes_room_ = false;
  return applied;
}

// Bytes of pages and blocks that are in use, or wait to be freed.
uint64_t Engine::OccupiedBytes() const {
  uint64_t total = 0;
  for (const auto& shard : parts_->shards) total += shard->UsedBytes() + shard->WaitingBytes();
  return total;
}

Result<bool> Engine::ApplyPart(const Batch& batch) {
  return WithinMemory([&] { return TryApplyPart(PlacedBatch(*parts_->placement, batch)); });
}

// A caller that frees much can wait, so that others need not.
Result<bool> Engine::TryApplyPart(const PlacedBatch& batch) {
  constexpr double kMostOfRoom = 0.75;
  using Kind = Batch::Operation::Kind;
  auto is_cut = [](const auto& it) { return it.kind == Kind::kResize || it.kind == Kind::kPunch; };
  auto stands_alone = [&](const auto& it) {
    return is_cut(it) || it.kind == Kind::kWrite || it.kind == Kind::kEditMeta;
  };
  if (std::ranges::none_of(batch.operations(), is_cut) ||
      !std::ranges::all_of(batch.operations(), stands_alone)) {
    return false;
  }
  KVFS_TRY(RequireWritable());
  const LargeCut cut(parts_->shards, *parts_->placement);
  for (size_t i = 0; i < batch.operations().size(); ++i) {
    KVFS_ASSIGN(const auto part, cut.PartOf(batch.operations()[i], batch.places(i).at));
    if (!part) continue;
    Batch one;
    if (part->kind == Kind::kResize) {
      one.Resize(part->key, part->offset);
    } else {
      one.Punch(part->key, part->offset, part->length);
    }
    KVFS_TRY(parts_->checkpointer->WaitForRoom(kMostOfRoom));
    KVFS_TRY(ApplyAtOnce(PlacedBatch(*parts_->placement, one)));
    return true;
  }
  return false;
}

// An error of reading concerns only the reader; an error of writing concerns all later writers.
Result<void> Engine::NoteIfWriteFailed(Error error) {
  const bool is_of_writing =
      std::ranges::any_of(parts_->shards, [](const auto& shard) { return shard->IsSuspect(); });
  if (!is_of_writing) return tl::unexpected(std::move(error));
  return parts_->failure_latch->Fail("a file could not be written", std::move(error));
}

Result<void> Engine::ApplyWithRoom(const PlacedBatch& batch) {
  const Counted counted(&staging_, Staging::Stages(batch));
  Staging staging(parts_->shards, *parts_->placement);
  Wants wants;
  wants.locks = batch.Shards();
  while (true) {
    KVFS_TRY(staging.Prepare(batch, wants.owners));
    auto applied = TryOnce(batch, &staging, &wants);
    if (applied || applied.error().code != kRetry) return applied;
    KVFS_TRY(Provide(wants));
    for (const auto& [index, owner] : wants.owners) staging.Discard(index);
    wants.blocks.clear();
    wants.pages.clear();
    wants.spare = false;
  }
}

// Preallocates the pages and blocks that a try found missing, with no lock held.
Result<void> Engine::Provide(const Wants& wants) {
  for (const auto& [shard, blocks] : wants.blocks) {
    KVFS_TRY(parts_->shards[shard]->block_allocator().Preallocate(blocks));
  }
  for (const auto& [shard, pages] : wants.pages) {
    KVFS_TRY(parts_->shards[shard]->page_allocator().Preallocate(pages));
  }
  if (!wants.spare) return {};
  for (const auto& shard : parts_->shards) KVFS_TRY(shard->PreallocateSpare());
  has_spare_ = true;
  return {};
}

Result<void> Engine::TryOnce(const PlacedBatch& batch, Staging* staging, Wants* wants) {
  const Prefetch looks(parts_->shards, batch);
  const ExclusiveLocks locks(parts_->shards, wants->locks);
  Transaction transaction(parts_->shards, locks, parts_->snapshots.newest());
  BatchResolver resolver(&transaction, *parts_->placement, parts_->shards.front()->inline_limit(),
                         *staging, looks);
  std::vector<std::byte> record(RedoLog::RecordOverhead());
  auto done = resolver.Resolve(batch, &record);
  if (done) done = ReserveSpace(transaction, resolver.grows(), wants);
  if (!done) {
    wants->locks |= transaction.missing_locks();
    wants->owners = resolver.wanted_owners();
    for (const auto& [shard, count] : transaction.missing_blocks()) {
      wants->blocks[shard] = count + kForAllocationMaps;
    }
    return done;
  }
  if (record.size() == RedoLog::RecordOverhead()) return {};  // nothing but expectations
  KVFS_TRY(Commit(parts_->commit_target(), &transaction, &record, staging->StagedBytes()));
  try {
    staging->Commit();
    resolver.GiveIds();
  } catch (const std::bad_alloc&) {
    return parts_->failure_latch->Fail("a logged change could not be applied",
                                       {ErrorCode::kIo, OutOfMemory().message});
  }
  parts_->checkpointer->NoteOrphaned(transaction.orphaned_bytes());
  return {};
}

// A full disk is detected here, before anything is decided. Reserved space stays preallocated. An
// entry may move to any shard before it is erased: so the first change that takes space
// preallocates spare space in each shard, and trimming always leaves it there.
Result<void> Engine::ReserveSpace(const Transaction& transaction, bool grows, Wants* wants) const {
  for (const auto& [index, records, bytes] : transaction.Sizes()) {
    Shard& shard = *parts_->shards[index];
    shard.mutex.AssertHeld();  // by TryOnce
    const uint64_t pages = shard.ReservePages(records, bytes, grows);
    if (pages > 0) wants->pages[index] = pages;
    const uint64_t blocks = shard.ReserveBlocks(grows);
    if (blocks > 0) wants->blocks[index] = transaction.PinnedBlocks(index) + blocks;
  }
  wants->spare = grows && !has_spare_;
  if (wants->pages.empty() && wants->blocks.empty() && !wants->spare) return {};
  return Fail(kRetry);
}

// Copying.

Result<uint64_t> Engine::CopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                                   uint64_t length, MetaEdit edit) {
  return WithinMemory([&] { return TryCopyRange(from, from_offset, to, to_offset, length, edit); });
}

Result<uint64_t> Engine::TryCopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                                      uint64_t length, const MetaEdit& edit) {
  constexpr uint64_t kPieceBytes = uint64_t{4} << 20;
  KVFS_TRY(RequireWritable());
  KVFS_ASSIGN(const EntryInfo source, Stat(from));
  if (from_offset >= source.size_bytes) return uint64_t{0};
  length = std::min(length, source.size_bytes - from_offset);
  const bool overlaps =
      from == to && from_offset < to_offset + length && to_offset < from_offset + length;
  if (to_offset > kMaxContentBytes - length || overlaps) {
    return Fail(ErrorCode::kInvalid, "the range cannot be copied there");
  }
  uint64_t copied = 0;
  while (copied < length) {
    const uint64_t piece = std::min(kPieceBytes, length - copied);
    auto done = CopyPiece(from, from_offset + copied, to, to_offset + copied, piece, edit);
    // Earlier pieces stay copied: the caller gets their size.
    if (!done && copied == 0) return tl::unexpected(std::move(done).error());
    if (!done) return copied;
    copied += piece;
  }
  return copied;
}

// Copies data as data, holes as holes.
Result<void> Engine::CopyPiece(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                               uint64_t length, const MetaEdit& edit) {
  const uint64_t end = from_offset + length;
  std::vector<std::vector<std::byte>> kept;
  Batch batch;
  for (uint64_t at = from_offset; at < end;) {
    KVFS_ASSIGN(const uint64_t data, FindData(from, at));
    const uint64_t hole_end = std::min(data, end);
    if (hole_end > at) batch.Punch(to, to_offset + (at - from_offset), hole_end - at);
    if (hole_end == end) break;
    KVFS_ASSIGN(const uint64_t hole, FindHole(from, data));
    std::vector<std::byte>& bytes = kept.emplace_back(std::min(hole, end) - data);
    KVFS_ASSIGN(const size_t count, Read(from, data, bytes));
    bytes.resize(count);
    if (count == 0) break;  // it has been cut meanwhile
    batch.Write(to, to_offset + (data - from_offset), bytes);
    at = data + count;
  }
  KVFS_ASSIGN(const EntryInfo target, Stat(to));
  const uint64_t to_end = to_offset + length;
  // A punch does not extend; a copied hole at the end does.
  batch.Resize(to, std::max(target.size_bytes, to_end), edit);
  return Apply(batch);
}

// The whole.

uint64_t Engine::ReserveId(std::string_view name) {
  Shard& shard = *parts_->shards[parts_->placement->PlaceOf(kRootDirectory, name).shard];
  MutexLock lock(shard.mutex);
  return shard.TakeId();
}

uint64_t Engine::ReserveIdLike(uint64_t other) {
  Shard& shard = *parts_->shards[parts_->placement->OwnerOf(other)];
  MutexLock lock(shard.mutex);
  return shard.TakeId();
}

Result<std::unique_ptr<Snapshot>> Engine::TakeSnapshot() const {
  return WithinMemory(
      [&]() -> Result<std::unique_ptr<Snapshot>> { return EngineSnapshot::Take(parts_.get()); });
}

Result<void> Engine::Sync() {
  KVFS_TRY(RequireWritable());
  auto synced = WithinMemory([&] { return parts_->log->SyncTo(parts_->log->appended()); });
  // Without space to rewrite the replayed blocks, nothing is durable, but nothing is lost.
  if (synced || MayBeRepeated(synced.error())) return synced;
  return parts_->failure_latch->Fail("a sync failed", std::move(synced).error());
}

Result<void> Engine::Checkpoint() {
  KVFS_TRY(RequireWritable());
  return WithinMemory([&] { return parts_->checkpointer->Run(CheckpointPurpose::kContinue); });
}

// All orphans are freed first, however long that takes; the last checkpoint releases what the
// previous one has set aside.
Result<void> Engine::Compact() {
  KVFS_TRY(RequireWritable());
  return WithinMemory([&]() -> Result<void> {
    KVFS_TRY(parts_->checkpointer->Run(CheckpointPurpose::kCompact));
    if (parts_->checkpointer->leaves_more()) {
      while (parts_->checkpointer->leaves_more()) {
        KVFS_TRY(parts_->checkpointer->Run(CheckpointPurpose::kContinue));
      }
      KVFS_TRY(parts_->checkpointer->Run(CheckpointPurpose::kCompact));
    }
    KVFS_TRY(parts_->checkpointer->Run(CheckpointPurpose::kIdle));
    const auto kept_damage = [](const auto& shard) { return shard->has_kept_damage(); };
    if (std::ranges::none_of(parts_->shards, kept_damage)) return {};
    return Fail(ErrorCode::kCorrupt, "damaged pages were left unchanged; all others are compact");
  });
}

Result<CheckReport> Engine::Check(const CheckOptions& options) const {
  for (const auto& shard : parts_->shards) {
    const SharedLock lock(shard->mutex);
    KVFS_TRY(shard->CheckWhole());
  }
  return WithinMemory([&] { return Checker(parts_.get(), &options).Run(); });
}

StoreStats Engine::GetStats() const {
  StoreStats stats;
  const uint64_t page_bytes = parts_->identity.page_bytes;
  for (const auto& shard : parts_->shards) {
    const BlockAllocator &pages = shard->page_allocator(), &blocks = shard->block_allocator();
    stats.page_bytes_used += pages.used() * page_bytes;
    const uint64_t map_blocks = pages.root().blocks + blocks.root().blocks;
    stats.block_bytes_used += (blocks.used() - map_blocks) * format::kBlockBytes;
    stats.dead_bytes += pages.waiting() * page_bytes + blocks.waiting() * format::kBlockBytes;
    stats.reusable_bytes +=
        pages.preallocated() * page_bytes + blocks.preallocated() * format::kBlockBytes;
    stats.reserved_bytes += pages.reserved() * page_bytes + blocks.reserved() * format::kBlockBytes;
    stats.disk_bytes += shard->DiskBytes().value_or(0);
    stats.file_bytes += shard->FileBytes().value_or(0);
    stats.dirty_bytes += shard->dirty_bytes();
    SharedLock lock(shard->mutex);
    stats.entries += shard->entries();
    stats.orphaned_contents += shard->orphaned_contents();
  }
  stats.reserved_bytes += parts_->identity.log_segment_bytes;
  stats.log_file_bytes = parts_->log->DiskBytes();
  stats.disk_bytes += stats.log_file_bytes + parts_->superblock->AllocatedBytes().value_or(0);
  stats.disk_bytes += parts_->identity_file.DiskBytes();
  stats.file_bytes += parts_->log->FileBytes() + format::kSuperblockBytes;
  stats.file_bytes += parts_->identity_file.FileBytes();
  stats.snapshots = parts_->snapshots.count();
  if (parts_->checkpointer) {
    stats.epoch = parts_->checkpointer->epoch();
    stats.checkpoints = parts_->checkpointer->checkpoints();
  }
  stats.log_bytes = parts_->account.log_bytes;
  // In this order, so that concurrent changes never make the first number exceed the second.
  stats.durable_sequence = parts_->log->durable();
  stats.acknowledged_sequence = parts_->log->appended();
  stats.replayed_records = parts_->replayed_records;
  return stats;
}

Result<DiskSpace> Engine::GetDiskSpace() const {
  return WithinMemory([&] { return parts_->env->GetDiskSpace(parts_->path); });
}

}  // namespace kvfs
