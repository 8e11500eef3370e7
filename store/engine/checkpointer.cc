// Takes the steps of a checkpoint, on a thread of its own.
#include "store/engine/checkpointer.h"

#include <algorithm>
#include <new>

#include "store/base/contract.h"
#include "store/base/out_of_memory.h"
#include "store/engine/store_files.h"
#include "store/engine/superblock_file.h"

namespace kvfs {
namespace {

// A replay verifies the blocks that log records name. Reading a byte of a block is this much faster
// than replaying a byte of the log, so it counts this much less towards the log's limit.
constexpr uint64_t kBlockBytesPerLogByte = 32;
// The limit of dead space is this, plus seven eighths of the space in use at the newest checkpoint:
// so a store takes less than twice the space of its contents plus 64 MiB. A checkpoint begins at a
// third of the limit, so that writers seldom wait for it.
constexpr uint64_t kDeadBytes = uint64_t{40} << 20;
constexpr double kMuchDead = 1.0 / 3;

// Turns the error of a failed sync into one that is final: whatever the reason of the failure, the
// contents of the disk are unknown.
Result<void> Synced(Result<void> done) {
  const bool is_final = !done && done.error().code == ErrorCode::kUnavailable;
  return is_final ? Fail(ErrorCode::kIo, std::move(done).error().message) : std::move(done);
}

}  // namespace

Checkpointer::Checkpointer(CheckpointerConfig config, const Shards* shards, RedoLog* log,
                           LogAccount* account, SpaceAccount* space, File* superblock,
                           IdentityFile* copy, FailureLatch* failure_latch,
                           format::Checkpoint newest, Prepare prepare)
    : config_(std::move(config)),
      shards_(shards),
      log_(log),
      account_(account),
      space_(space),
      superblock_(superblock),
      copy_(copy),
      failure_latch_(failure_latch),
      prepare_(std::move(prepare)),
      kept_spares_(config_.identity.log_limit_bytes / config_.identity.log_segment_bytes / 2 + 2),
      newest_(std::move(newest)),
      epoch_(newest_.epoch) {
  LimitDeadSpace();
}

Checkpointer::~Checkpointer() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wanted_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// A full disk may have room for only one segment, or for none: then a checkpoint makes room.
Result<void> Checkpointer::BeginLog() {
  const MutexLock lock(running_);
  KVFS_REQUIRE(!log_->CanAppend() && !closed_, "a log is begun once, before anything changes");
  auto prepared = log_->PrepareSpares(2);
  if (prepared) return NameOwnSegment();
  if (prepared.error().code != ErrorCode::kNoSpace) return prepared;
  return RunOne(Purpose::kContinue);
}

// Begins a segment and names it in the superblock, so that its loss is detected as damage, and not
// taken for a store without a log.
Result<void> Checkpointer::NameOwnSegment() {
  format::Checkpoint named = newest_;
  KVFS_ASSIGN(named.last_segment, log_->Rotate());
  if (newest_.last_segment == format::kNoSegment) named.first_segment = named.last_segment;
  auto done = log_->SyncSegmentsFrom(0);
  if (done) copy_->Keep(named);
  if (done) done = WriteCheckpoint(*superblock_, config_.identity, named);
  if (!done) {
    log_->Suspend();
    if (done.error().code == ErrorCode::kNoSpace) return done;
    return failure_latch_->Fail("the log could not be begun", std::move(done).error());
  }
  newest_ = std::move(named);
  return {};
}

Result<void> Checkpointer::StartThread() {
  Demand(!thread_.joinable(), "a checkpointer has one thread");
  return WithinMemory([this]() -> Result<void> {
    thread_ = std::thread([this] { ThreadMain(); });
    return {};
  });
}

// The purpose of the next checkpoint; nullopt if the thread is to end.
std::optional<CheckpointPurpose> Checkpointer::WaitForWork() {
  auto is_woken = [this]() KVFS_REQUIRES_LOCK(mutex_) { return wanted_ || stopping_; };
  while (!is_woken()) {
    if (config_.idle_ms == 0) {
      wanted_changed_.wait(mutex_, is_woken);
      continue;
    }
    if (wanted_changed_.wait_for(mutex_, std::chrono::milliseconds(config_.idle_ms), is_woken))
      break;
    MutexUnlock unlocked(mutex_);
    const uint64_t sequence = log_->appended();
    unlocked.lock();
    if (is_woken()) break;
    // No change since the last wakeup, but some since the last idle checkpoint.
    const bool is_idle = std::exchange(idle_sequence_, sequence) == sequence;
    if (is_idle && sequence != trimmed_sequence_) {
      trimmed_sequence_ = sequence;
      return Purpose::kIdle;
    }
  }
  if (stopping_) return std::nullopt;
  return Purpose::kContinue;
}

void Checkpointer::ThreadMain() {
  MutexLock lock(mutex_);
  while (const auto purpose = WaitForWork()) {
    wanted_ = false;
    // A request made during a checkpoint may have been satisfied by that checkpoint.
    if (*purpose == Purpose::kContinue && !leaves_more_ && !IsCheckpointDue()) {
      finished_.notify_all();
      continue;
    }
    lock.unlock();
    auto result = WithinMemory([&] { return Run(*purpose); });
    lock.lock();
    ++attempts_;
    last_attempt_ = std::move(result);
    finished_.notify_all();
  }
}

void Checkpointer::NoteOrphaned(uint64_t bytes) {
  if (bytes == 0) return;
  orphaned_bytes_ += bytes;
  if (DeadPressure() >= kMuchDead) WakeThread();
}

// Wakes waiting writers before the slow part, returning space to the disk.
void Checkpointer::NotifyRoom() {
  const MutexLock lock(mutex_);
  finished_.notify_all();
}

void Checkpointer::WakeThread() {
  const MutexLock lock(mutex_);
  wanted_ = true;
  wanted_changed_.notify_one();
}

uint64_t Checkpointer::dirty_bytes() const {
  uint64_t total = 0;
  for (const auto& shard : *shards_) total += shard->dirty_bytes();
  return total;
}

double Checkpointer::Pressure() const {
  // One segment is a spare, and one is not full.
  const uint64_t room = config_.identity.log_limit_bytes - 2 * config_.identity.log_segment_bytes;
  const uint64_t log = account_->log_bytes + account_->block_bytes / kBlockBytesPerLogByte;
  return std::max(
      static_cast<double>(log) / static_cast<double>(room),
      static_cast<double>(dirty_bytes()) / static_cast<double>(config_.dirty_limit_bytes));
}

// Orphaned contents count as dead, since the next checkpoint frees them.
double Checkpointer::DeadPressure() const {
  return static_cast<double>(space_->freed_bytes + orphaned_bytes_) /
         static_cast<double>(dead_limit_bytes_);
}

double Checkpointer::AllocatedPressure() const {
  return static_cast<double>(space_->allocated_bytes) / static_cast<double>(dead_limit_bytes_);
}

bool Checkpointer::IsCheckpointDue() const {
  return Pressure() >= 0.5 || DeadPressure() >= kMuchDead;
}

bool Checkpointer::MustWait(double full) const {
  return std::max(Pressure(), std::min(DeadPressure(), AllocatedPressure())) >= full;
}

void Checkpointer::LimitDeadSpace() {
  uint64_t used_bytes = 0;
  for (const auto& shard : *shards_) used_bytes += shard->UsedBytes();
  used_bytes -= std::min<uint64_t>(used_bytes, orphaned_bytes_);
  dead_limit_bytes_ = used_bytes / 8 * 7 + kDeadBytes;
}

// Disk space that each spare log segment keeps: in proportion to the store.
uint64_t Checkpointer::SpareLogBytes() const {
  constexpr uint64_t kParts = 64, kUnit = uint64_t{64} << 10;
  uint64_t used_bytes = 0;
  for (const auto& shard : *shards_) used_bytes += shard->UsedBytes();
  return used_bytes / kParts / kUnit * kUnit;
}

Result<void> Checkpointer::WaitForRoom(double full) {
  if (!IsCheckpointDue()) return {};
  MutexLock lock(mutex_);
  wanted_ = true;
  wanted_changed_.notify_one();
  if (!MustWait(full)) return {};
  // An attempt in progress may have begun before this caller's changes; the next one begins after
  // them.
  const uint64_t enough = attempts_ + 2;
  while (MustWait(full) && attempts_ < enough && !stopping_) {
    wanted_ = true;
    wanted_changed_.notify_one();
    finished_.wait(mutex_);
  }
  // Dead space is no reason to refuse a change: a full disk is detected elsewhere.
  return Pressure() >= full ? last_attempt_ : Result<void>();
}

// Limits reclaiming to a share of the memory for changes, so that others need not wait; and bounds
// the list of blocks that wait to be free, which grows as long as a reader has an older tree.
bool Checkpointer::HasRoomToReclaim(uint64_t bytes) const {
  constexpr uint64_t kShare = 8;
  uint64_t waiting = 0;
  for (const auto& shard : *shards_) waiting += shard->block_allocator().waiting();
  return bytes < config_.dirty_limit_bytes / kShare &&
         waiting * sizeof(uint64_t) < config_.dirty_limit_bytes && Pressure() < 1;
}

Result<void> Checkpointer::Run(Purpose purpose) {
  const MutexLock lock(running_);
  auto done = RunLocked(purpose);
  if (done || done.error().code != ErrorCode::kNoSpace) return done;
  // One file may have preallocated space that another one needs.
  GiveBackPreallocated();
  return RunLocked(purpose);
}

Result<void> Checkpointer::MakeRoom() {
  auto done = Run(Purpose::kContinue);
  if (!done && done.error().code != ErrorCode::kNoSpace) return done;
  const MutexLock lock(running_);
  GiveBackPreallocated();
  return {};
}

void Checkpointer::GiveBackPreallocated() {
  for (const auto& shard : *shards_) shard->GiveBackPreallocated();
}

Result<void> Checkpointer::RunLocked(Purpose purpose) {
  KVFS_TRY(failure_latch_->Check());
  if (is_over_) return {};
  // Reclaiming changes the store, so it needs a log to append to.
  Result<bool> prepared = false;
  if (log_->CanAppend()) {
    // On a full disk it may lack room to begin; the checkpoint then makes some.
    prepared = prepare_([this](uint64_t bytes) { return HasRoomToReclaim(bytes); });
  }
  if (!prepared && prepared.error().code != ErrorCode::kNoSpace) {
    return tl::unexpected(std::move(prepared).error());
  }
  // An epoch left closed by an earlier attempt comes first, and lacks the changes since.
  if (closed_) KVFS_TRY(RunOne(closed_->purpose));
  KVFS_TRY(RunOne(purpose));
  is_over_ = purpose == Purpose::kClose;
  leaves_more_ = prepared.value_or(false);
  if (leaves_more_ && !is_over_) WakeThread();
  return {};
}

// If memory runs out in the middle, it is unknown which shards have changed: so the failure is
// latched. Nothing is lost, as the next opening starts from what is on disk, and the log is
// complete.
Result<void> Checkpointer::RunOne(Purpose purpose) {
  try {
    return TryRunOne(purpose);
  } catch (const std::bad_alloc&) {
    return failure_latch_->Fail("a checkpoint failed", OutOfMemory());
  }
}

Result<void> Checkpointer::TryRunOne(Purpose purpose) {
  KVFS_TRY(failure_latch_->Check());
  if (!closed_) KVFS_TRY(CloseEpoch(purpose));
  auto written = WriteTrees();
  if (written) written = Synced(WriteSuperblock());
  // May be repeated also if the disk needs space to overwrite a slot: the other slot is unchanged.
  if (!written && MayBeRepeated(written.error())) return written;
  if (!written) {
    log_->Stop(written.error());
    return failure_latch_->Fail("a checkpoint failed", std::move(written).error());
  }
  return Finish();
}

// False if the log must not, or cannot, continue.
Result<bool> Checkpointer::PrepareRotation(Purpose purpose) {
  if (purpose == Purpose::kClose || !log_->CanAppend()) return false;
  auto spare = log_->PrepareSpares(1);
  if (!spare && spare.error().code == ErrorCode::kNoSpace) return false;
  if (spare) spare = log_->WarmNext();
  if (!spare) return tl::unexpected(std::move(spare).error());
  return true;
}

Result<void> Checkpointer::CloseEpoch(Purpose purpose) {
  KVFS_ASSIGN(const bool rotates, PrepareRotation(purpose));
  ExclusiveLocks locks(*shards_, AllShards(*shards_));
  Closed closed{purpose, !rotates, {}};
  if (!rotates) {
    log_->Suspend();
    closed.checkpoint.first_segment = log_->NextNumber();
    closed.checkpoint.last_segment = format::kNoSegment;
  } else {
    KVFS_ASSIGN(closed.checkpoint.first_segment, log_->Rotate());
    closed.checkpoint.last_segment = closed.checkpoint.first_segment;
  }
  closed.last_sequence = log_->appended();
  closed.checkpoint.next_sequence = closed.last_sequence + 1;
  closed.checkpoint.epoch = epoch_ + 1;
  closed.checkpoint.shards.resize(shards_->size());
  closed.log_bytes = account_->log_bytes;
  closed.block_bytes = account_->block_bytes;
  closed.allocated_bytes = space_->allocated_bytes;
  closed.freed_bytes = space_->freed_bytes;
  for (const auto& shard : *shards_) {
    shard->mutex.AssertHeld();  // by `locks`
    shard->CloseEpoch();
  }
  orphaned_bytes_ = 0;
  closed_ = std::move(closed);
  return {};
}

Result<void> Checkpointer::WriteTrees() {
  format::Checkpoint& checkpoint = closed_->checkpoint;
  for (size_t i = 0; i < shards_->size(); ++i) {
    // An earlier attempt, which failed on a full disk, may have written this one.
    if (checkpoint.shards[i].next_id != 0) continue;
    KVFS_ASSIGN(checkpoint.shards[i], (*shards_)[i]->WriteClosed(
                                          checkpoint.epoch, closed_->purpose == Purpose::kCompact));
  }
  for (const auto& shard : *shards_) KVFS_TRY(Synced(shard->Sync()));
  return {};
}

Result<void> Checkpointer::WriteSuperblock() {
  // The segment that the checkpoint names must be durable before the checkpoint, but its records
  // need not be. Older segments are no longer needed then, so they are not synced.
  KVFS_TRY(log_->SyncSegment(closed_->checkpoint.first_segment));
  // Another thread's sync of data that this checkpoint depends on may have failed meanwhile.
  KVFS_TRY(log_->Check());
  KVFS_TRY(failure_latch_->Check());
  copy_->Keep(closed_->checkpoint);
  copy_->Sync();
  return WriteCheckpoint(*superblock_, config_.identity, closed_->checkpoint);
}

Result<void> Checkpointer::Finish() {
  const Closed closed = *std::exchange(closed_, std::nullopt);
  newest_ = closed.checkpoint;
  epoch_ = newest_.epoch;
  ++checkpoints_;
  log_->MarkDurable(closed.last_sequence);
  account_->log_bytes -= closed.log_bytes;
  account_->block_bytes -= closed.block_bytes;
  space_->allocated_bytes -= closed.allocated_bytes;
  space_->freed_bytes -= closed.freed_bytes;
  for (const auto& shard : *shards_) shard->CheckpointDurable(closed.checkpoint.epoch);
  LimitDeadSpace();
  const bool continues = closed.purpose == Purpose::kContinue;
  // Before writers go on, so that they find segments, and make no more.
  KVFS_TRY(log_->RecycleBefore(closed.checkpoint.first_segment, continues ? kept_spares_ : 2));
  NotifyRoom();
  for (const auto& shard : *shards_) shard->Trim(closed.purpose);
  if (!continues) log_->TrimSpares(SpareLogBytes());
  if (closed.purpose == Purpose::kClose) return {};
  if (closed.suspends_log) KVFS_TRY(NameOwnSegment());
  // The checkpoint is complete. If there is no room for a spare now, one is made later.
  auto spare = log_->PrepareSpares(1);
  if (!spare && spare.error().code == ErrorCode::kNoSpace) return {};
  return spare;
}

}  // namespace kvfs
