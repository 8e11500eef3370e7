// The four steps, and the thread that takes them.
#include "store/engine/checkpointer.h"

#include <algorithm>
#include <new>

#include "store/base/contract.h"
#include "store/base/out_of_memory.h"
#include "store/engine/store_files.h"

namespace kvfs {
namespace {

// Blocks that log records name are checked when they are replayed. A byte of them is read so much
// faster than one of the log is replayed, and counts so much less towards the log's limit.
constexpr uint64_t kBlockBytesPerLogByte = 32;
// So much space, and seven eighths of what was in use at the newest checkpoint, may be dead: with
// it a store takes less than twice what it holds and 64 MiB. A checkpoint begins when a third of it
// is, so that writers seldom wait for its end.
constexpr uint64_t kDeadBytes = uint64_t{48} << 20;
constexpr double kMuchDead = 1.0 / 3;

// What a sync that failed has left on the disk is not known, for whatever reason it failed.
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
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// A full disk may have room for one segment only, or for none.
Result<void> Checkpointer::BeginLog() {
  std::lock_guard lock(running_);
  KVFS_REQUIRE(!log_->CanAppend() && !closed_, "a log is begun once, before anything changes");
  auto prepared = log_->PrepareSpares(2);
  if (prepared) return NameOwnSegment();
  if (prepared.error().code != ErrorCode::kNoSpace) return prepared;
  return RunOne(Purpose::kContinue);
}

// Begins a segment, and says so in the superblock: if it is lost later, that is damage, and not a
// store that has no log.
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

// What a checkpoint is to be taken for; nothing if the thread is to end.
std::optional<CheckpointPurpose> Checkpointer::WaitForWork(std::unique_lock<RankedMutex>& lock) {
  auto is_woken = [this] { return wanted_ || stopping_; };
  while (!is_woken()) {
    if (config_.idle_ms == 0) {
      wanted_changed_.wait(lock, is_woken);
      continue;
    }
    if (wanted_changed_.wait_for(lock, std::chrono::milliseconds(config_.idle_ms), is_woken)) break;
    lock.unlock();
    const uint64_t sequence = log_->appended();
    lock.lock();
    if (is_woken()) break;
    // Nothing since the last look, and something since the last such checkpoint.
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
  std::unique_lock lock(mutex_);
  while (const auto purpose = WaitForWork(lock)) {
    wanted_ = false;
    // What was asked for while a checkpoint was under way, that one may have done.
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

// Who waits for room has it before the disk has been given any back.
void Checkpointer::NotifyRoom() {
  std::lock_guard lock(mutex_);
  finished_.notify_all();
}

void Checkpointer::WakeThread() {
  std::lock_guard lock(mutex_);
  wanted_ = true;
  wanted_changed_.notify_one();
}

uint64_t Checkpointer::dirty_bytes() const {
  uint64_t total = 0;
  for (const auto& shard : *shards_) total += shard->dirty_bytes();
  return total;
}

double Checkpointer::Pressure() const {
  // Of all segments one is a spare, and one not full.
  const uint64_t room = config_.identity.log_limit_bytes - 2 * config_.identity.log_segment_bytes;
  const uint64_t log = account_->log_bytes + account_->block_bytes / kBlockBytesPerLogByte;
  return std::max(
      static_cast<double>(log) / static_cast<double>(room),
      static_cast<double>(dirty_bytes()) / static_cast<double>(config_.dirty_limit_bytes));
}

// What was buried is freed by the next checkpoint, too.
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

// In proportion to the store.
uint64_t Checkpointer::SpareLogBytes() const {
  constexpr uint64_t kParts = 64, kUnit = uint64_t{64} << 10;
  uint64_t used_bytes = 0;
  for (const auto& shard : *shards_) used_bytes += shard->UsedBytes();
  return used_bytes / kParts / kUnit * kUnit;
}

Result<void> Checkpointer::WaitForRoom(double full) {
  if (!IsCheckpointDue()) return {};
  std::unique_lock lock(mutex_);
  wanted_ = true;
  wanted_changed_.notify_one();
  if (!MustWait(full)) return {};
  // The attempt under way may have begun before this caller's changes; the next one has not.
  const uint64_t enough = attempts_ + 2;
  while (MustWait(full) && attempts_ < enough && !stopping_) {
    wanted_ = true;
    wanted_changed_.notify_one();
    finished_.wait(lock);
  }
  // Dead space is no reason to refuse a change: where the disk is full it will be told.
  return Pressure() >= full ? last_attempt_ : Result<void>();
}

// Of the memory for changes, only a share, which others then need not wait for; of what waits to be
// free, as long as a reader has an older tree, no list without a bound.
bool Checkpointer::HasRoomToReclaim(uint64_t bytes) const {
  constexpr uint64_t kShare = 8;
  uint64_t waiting = 0;
  for (const auto& shard : *shards_) waiting += shard->block_allocator().waiting();
  return bytes < config_.dirty_limit_bytes / kShare &&
         waiting * sizeof(uint64_t) < config_.dirty_limit_bytes && Pressure() < 1;
}

Result<void> Checkpointer::Run(Purpose purpose) {
  std::lock_guard lock(running_);
  auto done = RunLocked(purpose);
  if (done || done.error().code != ErrorCode::kNoSpace) return done;
  // One file may have room ready that another one needs.
  GiveBackPreallocated();
  return RunLocked(purpose);
}

Result<void> Checkpointer::MakeRoom() {
  auto done = Run(Purpose::kContinue);
  if (!done && done.error().code != ErrorCode::kNoSpace) return done;
  std::lock_guard lock(running_);
  GiveBackPreallocated();
  return {};
}

void Checkpointer::GiveBackPreallocated() {
  for (const auto& shard : *shards_) shard->GiveBackPreallocated();
}

Result<void> Checkpointer::RunLocked(Purpose purpose) {
  KVFS_TRY(failure_latch_->Check());
  if (is_over_) return {};
  // What changes the store needs a log to say so.
  Result<bool> prepared = false;
  if (log_->CanAppend()) {
    // On a full disk it may have no room to begin; the checkpoint then makes some.
    prepared = prepare_([this](uint64_t bytes) { return HasRoomToReclaim(bytes); });
  }
  if (!prepared && prepared.error().code != ErrorCode::kNoSpace) {
    return tl::unexpected(std::move(prepared).error());
  }
  // What an earlier attempt has left closed comes first; it is not all.
  if (closed_) KVFS_TRY(RunOne(closed_->purpose));
  KVFS_TRY(RunOne(purpose));
  is_over_ = purpose == Purpose::kClose;
  leaves_more_ = prepared.value_or(false);
  if (leaves_more_ && !is_over_) WakeThread();
  return {};
}

// Which of the shards have been changed when memory is short in the middle, nobody asks: the log
// has everything, and what is on the disk is what the next opening begins from.
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
  // Also of a disk that needs room to write over a slot: the other one is still what it was.
  if (!written && MayBeRepeated(written.error())) return written;
  if (!written) {
    log_->Stop(written.error());
    return failure_latch_->Fail("a checkpoint failed", std::move(written).error());
  }
  return Finish();
}

// False if the log is not to go on, or cannot.
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
  for (const auto& shard : *shards_) shard->CloseEpoch();
  orphaned_bytes_ = 0;
  closed_ = std::move(closed);
  return {};
}

Result<void> Checkpointer::WriteTrees() {
  format::Checkpoint& checkpoint = closed_->checkpoint;
  for (size_t i = 0; i < shards_->size(); ++i) {
    // Some may have been written by an attempt for which the disk had no room.
    if (checkpoint.shards[i].next_id != 0) continue;
    KVFS_ASSIGN(checkpoint.shards[i], (*shards_)[i]->WriteClosed(
                                          checkpoint.epoch, closed_->purpose == Purpose::kCompact));
  }
  for (const auto& shard : *shards_) KVFS_TRY(Synced(shard->Sync()));
  return {};
}

Result<void> Checkpointer::WriteSuperblock() {
  // The segment that the checkpoint names must be there once the checkpoint is, not what is in it.
  // Those before it have done their duty then: where they were not synced yet, that is spared.
  KVFS_TRY(log_->SyncSegment(closed_->checkpoint.first_segment));
  // Somebody else's sync may have failed meanwhile, of what this checkpoint builds on.
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
  NotifyRoom();
  for (const auto& shard : *shards_) shard->Trim(closed.purpose);
  const bool continues = closed.purpose == Purpose::kContinue;
  KVFS_TRY(log_->RecycleBefore(closed.checkpoint.first_segment, continues ? kept_spares_ : 2));
  if (!continues) log_->TrimSpares(SpareLogBytes());
  if (closed.purpose == Purpose::kClose) return {};
  if (closed.suspends_log) KVFS_TRY(NameOwnSegment());
  // The checkpoint is taken. A spare that cannot be made now is made when there is room again.
  auto spare = log_->PrepareSpares(1);
  if (!spare && spare.error().code == ErrorCode::kNoSpace) return {};
  return spare;
}

}  // namespace kvfs
