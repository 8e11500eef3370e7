// The four steps, and the thread that takes them.
#include "store/checkpointer.h"

#include <algorithm>

namespace kvfs {
namespace {

// Blocks that log records name are checked when they are replayed. A byte of them is read so much
// faster than one of the log is replayed, and counts so much less towards the log's limit.
constexpr uint64_t kBlockBytesPerLogByte = 32;

}  // namespace

Checkpointer::Checkpointer(CheckpointerConfig config, const Shards* shards, RedoLog* log,
                           File* superblock, Health* health, uint64_t epoch)
    : config_(std::move(config)),
      shards_(shards),
      log_(log),
      superblock_(superblock),
      health_(health),
      kept_spares_(config_.identity.log_limit_bytes / config_.identity.log_segment_bytes / 2 + 2),
      epoch_(epoch) {}

Checkpointer::~Checkpointer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::StartThread() {
  thread_ = std::thread([this] { ThreadMain(); });
}

void Checkpointer::ThreadMain() {
  std::unique_lock lock(mutex_);
  while (true) {
    wanted_changed_.wait(lock, [this] { return wanted_ || stopping_; });
    if (stopping_) return;
    wanted_ = false;
    lock.unlock();
    auto result = Run(Purpose::kContinue);
    lock.lock();
    ++attempts_;
    last_attempt_ = std::move(result);
    finished_.notify_all();
  }
}

void Checkpointer::NoteAppended(uint64_t log_bytes, uint64_t block_bytes) {
  log_bytes_ += log_bytes;
  block_bytes_ += block_bytes;
}

uint64_t Checkpointer::dirty_bytes() const {
  uint64_t total = 0;
  for (const auto& shard : *shards_) total += shard->dirty_bytes();
  return total;
}

double Checkpointer::Pressure() const {
  const uint64_t log = log_bytes_ + block_bytes_ / kBlockBytesPerLogByte;
  return std::max(
      static_cast<double>(log) / static_cast<double>(config_.identity.log_limit_bytes),
      static_cast<double>(dirty_bytes()) / static_cast<double>(config_.dirty_limit_bytes));
}

Result<void> Checkpointer::WaitForRoom() {
  const double pressure = Pressure();
  if (pressure < 0.5) return {};
  std::unique_lock lock(mutex_);
  wanted_ = true;
  wanted_changed_.notify_one();
  if (pressure < 1) return {};
  // The attempt under way may have begun before this caller's changes; the next one has not.
  const uint64_t enough = attempts_ + 2;
  while (Pressure() >= 1 && attempts_ < enough && !stopping_) {
    wanted_ = true;
    wanted_changed_.notify_one();
    finished_.wait(lock);
  }
  return Pressure() >= 1 ? last_attempt_ : Result<void>();
}

Result<void> Checkpointer::Run(Purpose purpose) {
  std::lock_guard lock(running_);
  KVFS_TRY(health_->Check());
  KVFS_ASSIGN(Closed closed, CloseEpoch(purpose));
  if (auto written = WriteEpoch(closed.checkpoint); !written) {
    return health_->Fail("a checkpoint failed", std::move(written).error());
  }
  epoch_ = closed.checkpoint.epoch;
  ++checkpoints_;
  log_->MarkDurable(closed.last_sequence);
  log_bytes_ -= closed.log_bytes;
  block_bytes_ -= closed.block_bytes;
  for (const auto& shard : *shards_) {
    std::lock_guard shard_lock(shard->mutex);
    shard->CheckpointDurable(/*keep_spare=*/purpose == Purpose::kContinue);
  }
  // The checkpoint is taken. A spare that cannot be made now is made when there is room again.
  if (purpose == Purpose::kClose) return log_->RecycleAll();
  KVFS_TRY(log_->RecycleBefore(closed.checkpoint.first_segment, kept_spares_));
  auto spare = log_->PrepareSpare();
  if (!spare && spare.error().code == ErrorCode::kNoSpace) return {};
  return spare;
}

Result<Checkpointer::Closed> Checkpointer::CloseEpoch(Purpose purpose) {
  ShardSet all;
  for (size_t i = 0; i < shards_->size(); ++i) all.set(i);
  ExclusiveLocks locks(*shards_, all);
  for (const auto& shard : *shards_) KVFS_TRY(shard->StoreSpaceMaps());
  Closed closed;
  closed.checkpoint.first_segment = format::kNoSegment;
  if (purpose == Purpose::kContinue) {
    KVFS_ASSIGN(closed.checkpoint.first_segment, log_->Rotate());
  }
  closed.last_sequence = log_->appended();
  closed.checkpoint.next_sequence = closed.last_sequence + 1;
  closed.checkpoint.epoch = epoch_ + 1;
  closed.log_bytes = log_bytes_;
  closed.block_bytes = block_bytes_;
  for (const auto& shard : *shards_) closed.checkpoint.shards.push_back(shard->CloseEpoch());
  return closed;
}

Result<void> Checkpointer::WriteEpoch(const format::Checkpoint& checkpoint) {
  for (const auto& shard : *shards_) KVFS_TRY(shard->WriteFrozen());
  for (const auto& shard : *shards_) KVFS_TRY(shard->Sync());
  // The segment that the checkpoint names must be there once the checkpoint is.
  KVFS_TRY(log_->SyncSegments());
  const std::vector<std::byte> slot = checkpoint.Encode(config_.identity.store);
  for (uint64_t offset : format::kSlotOffset) {
    KVFS_TRY(superblock_->Write(offset, slot));
    KVFS_TRY(superblock_->Sync());
  }
  return {};
}

}  // namespace kvfs
