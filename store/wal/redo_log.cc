// Appends records, groups commits, replays and recycles segments.
#include "store/wal/redo_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "store/base/contract.h"
#include "store/base/failure_latch.h"
#include "store/base/out_of_memory.h"
#include "store/format/log_proof.h"
#include "store/format/superblock.h"

namespace kvfs {

using format::kSegmentHeaderBytes;
using format::LogRecord;
using format::SegmentHeader;
using format::SegmentVersion;

namespace {

constexpr std::string_view kFilePrefix = "segment-";
// The first segment number of each life of the log is this much greater than the newest one before.
// Power loss may lose a segment's header, but not records after it; if its number were reused, they
// could be mistaken for new ones. No life begins this many segments.
constexpr uint64_t kLifeStride = uint64_t{1} << 32;
static_assert(format::LifeOf(kLifeStride) == 1);

// Bytes of a new segment that have disk space.
constexpr uint64_t kFirstBackedBytes = uint64_t{8} << 10;

// The number in a segment's file name, which only makes the name unique.
std::optional<uint64_t> FileNumber(std::string_view name) {
  if (!name.starts_with(kFilePrefix)) return std::nullopt;
  name.remove_prefix(kFilePrefix.size());
  uint64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

RedoLog::RedoLog(Env* env, RedoLogConfig config, std::function<Result<void>()> before_sync)
    : env_(env), config_(std::move(config)), before_sync_(std::move(before_sync)) {}

void RedoLog::Segment::Become(const SegmentHeader& header, const format::StoreId& store) {
  number = header.number;
  first_sequence = header.first_sequence;
  version = header.version;
  seed = format::SegmentSeed(store, number);
}

Result<void> RedoLog::Open(Access access) {
  KVFS_REQUIRE(phase_ == Phase::kNew, "a log is opened once");
  phase_ = Phase::kOpened;
  access_ = access;
  auto listed = env_->ListDirectory(config_.directory);
  if (!listed && listed.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kCorrupt, "the store lacks its log, " + config_.directory);
  }
  KVFS_ASSIGN(const std::vector<std::string> names, std::move(listed));
  for (const std::string& name : names) {
    const auto file_number = FileNumber(name);
    if (!file_number) continue;
    files_created_ = std::max(files_created_.load(), *file_number + 1);
    Segment segment;
    segment.path = config_.directory + "/" + name;
    KVFS_ASSIGN(segment.file, env_->OpenFile(segment.path, access));
    KVFS_ASSIGN(segment.bytes, segment.file->SizeBytes());
    std::vector<std::byte> header(std::min<uint64_t>(segment.bytes, kSegmentHeaderBytes));
    KVFS_TRY(segment.file->Read(0, header));
    const auto decoded = SegmentHeader::Decode(header, config_.store);
    if (decoded) {
      segment.Become(*decoded, config_.store);
      segments_.push_back(std::make_shared<Segment>(std::move(segment)));
    } else {
      spares_.push_back(std::move(segment));
    }
  }
  std::ranges::sort(segments_, {}, [](const auto& segment) { return segment->number; });
  return {};
}

// The numbers that lost headers may have had: within a life they ascend by one, and each life's
// first is known or expected.
std::vector<uint64_t> RedoLog::MissingNumbers(const std::vector<uint64_t>& expected) const {
  std::vector<uint64_t> missing;
  auto add = [&](uint64_t number) KVFS_NO_THREAD_SAFETY_ANALYSIS {
    for (size_t i = 0; i < spares_.size() && !Has(number); ++i) missing.push_back(number++);
  };
  for (const uint64_t number : expected) add(number);
  for (const auto& segment : segments_) add(segment->number + 1);
  std::ranges::sort(missing);
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  return missing;
}

// The header that a segment with this number must have had; nullopt if none of its records is found
// in the bytes.
std::optional<SegmentHeader> RedoLog::HeaderByRecords(Bytes bytes, uint64_t number) const {
  const uint64_t seed = format::SegmentSeed(config_.store, number);
  const Bytes records = bytes.subspan(std::min<size_t>(bytes.size(), kSegmentHeaderBytes));
  for (const SegmentVersion version : {SegmentVersion::kNew, SegmentVersion::kOld}) {
    const auto front = format::PeekFront(records, version);
    if (front && format::DecodeLogRecord(records, front->sequence, seed, version)) {
      return SegmentHeader{number, front->sequence, version};
    }
  }
  for (size_t at = 0; at < records.size(); at += format::NextRecordOffset(records.subspan(at))) {
    const auto front = format::PeekFront(records.subspan(at), SegmentVersion::kNew);
    if (front && format::IsProvenFront(records.subspan(at), seed)) {
      return SegmentHeader{number, front->sequence, SegmentVersion::kNew};
    }
  }
  return std::nullopt;
}

Result<void> RedoLog::FindHeadless(const std::vector<uint64_t>& expected) {
  const std::vector<uint64_t> missing = MissingNumbers(expected);
  for (auto spare = spares_.begin(); spare != spares_.end();) {
    KVFS_ASSIGN(const std::vector<std::byte> bytes, ReadSegment(*spare));
    std::optional<SegmentHeader> header;
    const bool is_empty = std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
    for (size_t i = 0; i < missing.size() && !header && !is_empty; ++i) {
      if (!Has(missing[i])) header = HeaderByRecords(bytes, missing[i]);
    }
    if (!header) {
      ++spare;
      continue;
    }
    spare->Become(*header, config_.store);
    segments_.push_back(std::make_shared<Segment>(std::move(*spare)));
    spare = spares_.erase(spare);
  }
  std::ranges::sort(segments_, {}, [](const auto& segment) { return segment->number; });
  return {};
}

// Starts from the newest: a segment replaces the records of older ones from its first sequence on.
std::vector<RedoLog::Part> RedoLog::PartsFrom(uint64_t first_segment) const {
  std::vector<Part> parts;
  uint64_t end = ~uint64_t{0};
  for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
    const Segment& segment = **at;
    if (segment.number < first_segment || segment.first_sequence >= end) continue;
    parts.push_back({&segment, end});
    end = segment.first_sequence;
  }
  std::ranges::reverse(parts);
  return parts;
}

Result<std::vector<std::byte>> RedoLog::ReadSegment(const Segment& segment) const {
  std::vector<std::byte> bytes(std::min(segment.bytes, config_.segment_bytes));
  KVFS_TRY(segment.file->Read(0, bytes));
  return bytes;
}

Result<void> RedoLog::Replay(uint64_t first_segment, uint64_t next,
                             const std::function<Result<bool>(const LogRecord&)>& visit) const {
  KVFS_REQUIRE(phase_ == Phase::kOpened, "a log is replayed between Open and Start");
  for (const Part& part : PartsFrom(first_segment)) {
    // It begins too late: the records between were never durable, or are damaged.
    if (part.segment->first_sequence != next) return {};
    KVFS_ASSIGN(next, ReplayPart(part, next, visit));
    if (next != part.end) return {};
  }
  return {};
}

// Returns the sequence after the last record that was visited.
Result<uint64_t> RedoLog::ReplayPart(
    const Part& part, uint64_t next,
    const std::function<Result<bool>(const LogRecord&)>& visit) const {
  KVFS_ASSIGN(const std::vector<std::byte> bytes, ReadSegment(*part.segment));
  const Segment& segment = *part.segment;
  Bytes rest = Bytes(bytes).subspan(std::min<size_t>(bytes.size(), kSegmentHeaderBytes));
  while (next < part.end) {
    const auto record = format::DecodeLogRecord(rest, next, segment.seed, segment.version);
    if (!record) return next;
    KVFS_ASSIGN(const bool goes_on, visit(*record));
    if (!goes_on) return next;
    ++next;
    rest = rest.subspan(record->EncodedBytes());
    part.segment->replayed_bytes =
        std::max(part.segment->replayed_bytes, bytes.size() - rest.size());
  }
  return next;
}

Result<uint64_t> RedoLog::ProvenDurable(uint64_t first_segment) const {
  KVFS_REQUIRE(phase_ == Phase::kOpened, "a log is looked through between Open and Start");
  uint64_t proven = 0;
  for (const Part& part : PartsFrom(first_segment)) {
    KVFS_ASSIGN(const std::vector<std::byte> bytes, ReadSegment(*part.segment));
    const format::LogProof proof =
        format::ProveByRecords(bytes, part.segment->header(), part.end, config_.store);
    proven = std::max(proven, proof.durable);
  }
  return proven;
}

// Latches the first failure: nothing is written or flushed after it.
tl::unexpected<Error> RedoLog::FailForGood(const std::string& operation, Error error) {
  static_cast<void>(
      failure_.Note({ErrorCode::kReadOnly, "an earlier " + operation + " of the log failed (" +
                                               error.message + "); reopen the store"}));
  return tl::unexpected(std::move(error));
}

void RedoLog::Stop(const Error& error) {
  static_cast<void>(FailForGood("write of what records refer to", error));
  const MutexLock lock(mutex_);
  mark_.Forget();
}

// After a failure the file is removed. A failed sync of the directory is permanent: its contents on
// disk are unknown from then on, and a later sync proves nothing.
Result<RedoLog::Segment> RedoLog::CreateSegment() {
  Segment segment;
  segment.path =
      config_.directory + "/" + std::string(kFilePrefix) + std::to_string(files_created_++);
  KVFS_ASSIGN(segment.file, env_->CreateFile(segment.path));
  // Allocating the last block sets the file's size.
  const uint64_t first = std::min(kFirstBackedBytes, config_.segment_bytes);
  const uint64_t last = config_.segment_bytes - first;
  auto ready = segment.file->Allocate(last, first);
  if (ready) ready = segment.file->PunchHole(last, first);
  if (ready) ready = Back(&segment, kFirstBackedBytes);
  segment.bytes = config_.segment_bytes;
  if (ready) ready = segment.file->Sync();
  auto named = ready ? env_->SyncDirectory(config_.directory) : Result<void>();
  if (ready && named) return segment;
  // A later opening must not find it either.
  static_cast<void>(env_->RemoveFile(segment.path));
  if (!ready) return tl::unexpected(std::move(ready).error());
  return FailForGood("sync", std::move(named).error());
}

// Allocates disk space for the segment's first `bytes`, in few steps: ext4 writes one more block
// with each sync of a file that has more than four extents, where the written and the unwritten
// part of the last one count separately.
Result<void> RedoLog::Back(Segment* segment, uint64_t bytes) const {
  if (bytes <= segment->backed) return {};
  const uint64_t most = config_.segment_bytes, begin = segment->backed;
  const auto round_up = [](uint64_t size) {
    return (size + kFirstBackedBytes - 1) / kFirstBackedBytes * kFirstBackedBytes;
  };
  const uint64_t times = begin <= kFirstBackedBytes ? 16 : 32;
  const uint64_t least_end = std::min(most, round_up(bytes));
  uint64_t end = std::min(most, std::max(least_end, times * begin));
  auto backed = segment->file->Allocate(begin, end - begin);
  const bool is_full = !backed && backed.error().code == ErrorCode::kNoSpace;
  if (is_full && end > least_end) {
    end = least_end;
    backed = segment->file->Allocate(begin, end - begin);
  }
  KVFS_TRY(backed);
  segment->backed = end;
  return {};
}

void RedoLog::Unback(Segment* segment, uint64_t bytes, uint64_t segment_bytes) {
  bytes = std::min(std::max(bytes, kFirstBackedBytes), segment_bytes);
  // `backed` is unknown for a segment of an earlier process.
  if (segment->file->AllocatedBytes().value_or(0) <= bytes) return;
  if (segment->file->PunchHole(bytes, segment_bytes - bytes)) {
    segment->backed = std::min(segment->backed, bytes);
  }
}

// Durably removes a file that failed to become a segment. If a later opening found it with a
// header, it would cut off the records of the segments before it.
Result<void> RedoLog::Discard(const Segment& segment) {
  auto removed = env_->RemoveFile(segment.path);
  if (removed) removed = env_->SyncDirectory(config_.directory);
  if (removed) return {};
  return FailForGood("removal", std::move(removed).error());
}

// Whether a spare that was taken out of the list for an operation may return to it. A file that an
// operation failed on is never used again, except if only disk space was lacking: it is unchanged.
bool RedoLog::IsUnharmed(const Segment& spare, const Result<void>& tried) {
  if (spare.file->IsSuspect()) return false;
  return tried || MayBeRepeated(tried.error());
}

Result<void> RedoLog::WriteHeader(Segment* segment) const {
  KVFS_TRY(Back(segment, kFirstBackedBytes));
  segment->end = kSegmentHeaderBytes;
  segment->writes = 1;
  segment->durable_writes = 0;
  segment->replayed_bytes = 0;
  segment->file->MapForWriting(config_.segment_bytes);
  KVFS_TRY(segment->file->Write(0, segment->header().Encode(config_.store)));
  return RequireSound(*segment);
}

Result<void> RedoLog::RequireSound(const Segment& segment) {
  if (!segment.file->IsSuspect()) return {};
  return Fail(ErrorCode::kIo, "a write to " + segment.path + " was refused");
}

// Tries the spares, and if they all fail a new segment.
Result<void> RedoLog::BeginSegment() {
  Result<void> begun;
  for (bool is_last = false; !is_last;) {
    is_last = spares_.empty();
    if (is_last) {
      KVFS_ASSIGN(Segment created, CreateSegment());
      spares_.push_back(std::move(created));
    }
    Segment segment = std::move(spares_.back());
    spares_.pop_back();
    segment.Become({next_number_++, next_sequence_}, config_.store);
    begun = WriteHeader(&segment);
    if (begun) {
      own_ = std::make_shared<Segment>(std::move(segment));
      segments_.push_back(own_);
      BeginMark();
      return {};
    }
    if (IsUnharmed(segment, begun)) {
      spares_.push_back(std::move(segment));
      return begun;
    }
    KVFS_TRY(Discard(segment));
  }
  return begun;
}

// Begins the mark of this life, with its first segment.
void RedoLog::BeginMark() {
  if (std::exchange(has_begun_, true)) return;
  mark_.Begin(*env_, MarkPath(), config_.store, format::LifeOf(own_->number), next_sequence_ - 1);
}

uint64_t RedoLog::Appended(uint64_t segment) const {
  const auto mark = LogMarkFile::Read(*env_, MarkPath(), config_.store);
  // The mark may be of a later opening, interrupted before the superblock named its segment.
  return mark && mark->life >= format::LifeOf(segment) ? mark->sequence : 0;
}

bool RedoLog::Has(uint64_t segment) const {
  return std::ranges::any_of(segments_, [&](const auto& it) { return it->number == segment; });
}

std::string RedoLog::CutSegment(uint64_t first_segment) const {
  for (const auto& segment : segments_) {
    const bool is_cut = segment->bytes < config_.segment_bytes;
    if (is_cut && segment->number >= first_segment) return segment->path;
  }
  return {};
}

// Truncated files must not be written to.
Result<void> RedoLog::RemoveCutSpares() {
  std::vector<Segment> whole;
  for (Segment& spare : spares_) {
    if (spare.bytes >= config_.segment_bytes) {
      whole.push_back(std::move(spare));
    } else if (access_ == Access::kReadWrite) {
      KVFS_TRY(env_->RemoveFile(spare.path));
    }
  }
  spares_ = std::move(whole);
  return {};
}

Result<void> RedoLog::Start(uint64_t first_segment, uint64_t next, uint64_t durable) {
  const MutexLock lock(mutex_);
  KVFS_REQUIRE(phase_ == Phase::kOpened, "a log is started once, after Open");
  KVFS_REQUIRE(durable < next, "what is durable lies before the next record");
  phase_ = Phase::kStarted;
  next_sequence_ = next;
  durable_ = durable;
  const uint64_t newest =
      segments_.empty() ? first_segment : std::max(first_segment, segments_.back()->number);
  next_number_ = newest + kLifeStride;
  while (!segments_.empty() && segments_.front()->number < first_segment) {
    spares_.push_back(std::move(*segments_.front()));
    segments_.erase(segments_.begin());
  }
  // Records that a crashed process had only passed to the kernel may not be on disk: count the
  // segments as not flushed.
  for (const auto& segment : segments_) {
    ++segment->writes;
    segment->replayed_bytes = std::max<uint64_t>(segment->replayed_bytes, kSegmentHeaderBytes);
  }
  return RemoveCutSpares();
}

Result<uint64_t> RedoLog::Append(std::vector<std::byte>* record) {
  const MutexLock lock(mutex_);
  KVFS_REQUIRE(phase_ == Phase::kStarted, "a log is started before the first append");
  KVFS_REQUIRE(
      record->size() >= RecordOverhead() && record->size() - RecordOverhead() <= MaxPayloadBytes(),
      "a record has room for its header, and fits into a segment");
  KVFS_TRY(failure_.Check());
  if (!own_) return Fail(ErrorCode::kNoSpace, "the disk has no room for a segment of the log");
  if (own_->end + record->size() > config_.segment_bytes) {
    // One spare is left for the checkpoint that frees space on a full disk. If there is no room for
    // another segment, nothing has changed.
    if (spares_.size() < 2) {
      KVFS_ASSIGN(Segment created, CreateSegment());
      spares_.insert(spares_.begin(), std::move(created));
    }
    KVFS_TRY(BeginSegment());
  }
  Segment& segment = *own_;
  // If there is no room, nothing has changed.
  KVFS_TRY(Back(&segment, segment.end + record->size()));
  format::SealLogRecord(record, next_sequence_, durable_, segment.seed);
  if (auto written = segment.file->Write(segment.end, *record); !written) {
    // The disk may need space to overwrite data: the next record is written to the same place.
    if (MayBeRepeated(written.error())) return tl::unexpected(written.error());
    mark_.Forget();
    return FailForGood("write", {ErrorCode::kIo, written.error().message});
  }
  segment.end += record->size();
  ++segment.writes;
  mark_.Set(next_sequence_);
  return next_sequence_++;
}

bool RedoLog::CanAppend() const {
  const MutexLock lock(mutex_);
  return own_ != nullptr;
}

uint64_t RedoLog::appended() const {
  const MutexLock lock(mutex_);
  return next_sequence_ - 1;
}

uint64_t RedoLog::durable() const {
  const MutexLock lock(mutex_);
  return durable_;
}

Result<void> RedoLog::SyncTo(uint64_t sequence) {
  MutexLock lock(mutex_);
  KVFS_REQUIRE(phase_ == Phase::kStarted, "a log is started before the first sync");
  KVFS_REQUIRE(sequence < next_sequence_, "only what was appended can be synced");
  if (durable_ < sequence) group_.Join(sequence);
  while (durable_ < sequence) {
    KVFS_TRY(failure_.Check());
    if (syncing_) {
      sync_done_.wait(mutex_);
      continue;
    }
    syncing_ = true;
    group_.Gather(mutex_);
    const uint64_t target = next_sequence_ - 1;
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    auto synced = WithinMemory([this] { return SyncSegmentsFrom(0); });
    const auto took = std::chrono::steady_clock::now() - begin;
    lock.lock();
    syncing_ = false;
    if (synced) {
      durable_ = std::max(durable_, target);
      group_.NoteFlush(took, group_.Release(durable_));
    }
    sync_done_.notify_all();
    if (!synced) return tl::unexpected(std::move(synced).error());
  }
  return {};
}

// The blocks that records refer to are flushed first. Records written meanwhile are not counted,
// and so need another flush.
Result<void> RedoLog::SyncSegmentsFrom(uint64_t first) {
  return SyncWith([&]() KVFS_REQUIRES_LOCK(flushing_) -> Result<void> {
    const Pending pending = UnsyncedFrom(first);
    KVFS_TRY(before_sync_());
    return FlushSegments(pending);
  });
}

Result<void> RedoLog::SyncSegment(uint64_t number) {
  return SyncWith([&]() KVFS_REQUIRES_LOCK(flushing_) {
    Pending pending = UnsyncedFrom(number);
    std::erase_if(pending, [&](const auto& it) { return it.first->number != number; });
    return FlushSegments(pending);
  });
}

// After a failed flush every later one fails too, even if the records in question were flushed: the
// store accepts no more changes then.
Result<void> RedoLog::SyncWith(const std::function<Result<void>()>& flush) {
  const MutexLock one_at_a_time(flushing_);
  KVFS_TRY(failure_.Check());
  auto flushed = flush();
  if (flushed || MayBeRepeated(flushed.error())) return flushed;
  const MutexLock lock(mutex_);
  mark_.Forget();
  return FailForGood("sync", std::move(flushed).error());
}

// The segments that have writes to flush.
RedoLog::Pending RedoLog::UnsyncedFrom(uint64_t first) const {
  Pending pending;
  const MutexLock lock(mutex_);
  pending.reserve(segments_.size());
  for (const auto& segment : segments_) {
    if (segment->number < first || segment->durable_writes == segment->writes) continue;
    pending.emplace_back(segment, segment->writes);
  }
  return pending;
}

Result<void> RedoLog::FlushSegments(const Pending& pending) {
  for (const auto& [segment, writes] : pending) KVFS_TRY(Rewrite(*segment));
  for (const auto& [segment, writes] : pending) KVFS_TRY(segment->file->Sync());
  const MutexLock lock(mutex_);
  for (const auto& [segment, writes] : pending) {
    segment->durable_writes = writes;
    segment->replayed_bytes = 0;
  }
  return {};
}

// Writes the same bytes to the same places, so a crash in the middle loses nothing.
Result<void> RedoLog::Rewrite(const Segment& segment) {
  constexpr uint64_t kPieceBytes = uint64_t{1} << 20;
  std::vector<std::byte> piece;
  for (uint64_t at = 0; at < segment.replayed_bytes; at += piece.size()) {
    piece.resize(std::min(kPieceBytes, segment.replayed_bytes - at));
    KVFS_TRY(segment.file->Read(at, piece));
    KVFS_TRY(segment.file->Write(at, piece));
  }
  return {};
}

void RedoLog::MarkDurable(uint64_t sequence) {
  const MutexLock lock(mutex_);
  Demand(sequence < next_sequence_, "only what was appended can be durable");
  durable_ = std::max(durable_, sequence);
  group_.Release(durable_);
  sync_done_.notify_all();
}

uint64_t RedoLog::NextNumber() const {
  const MutexLock lock(mutex_);
  return next_number_;
}

Result<uint64_t> RedoLog::Rotate() {
  const MutexLock lock(mutex_);
  KVFS_REQUIRE(phase_ == Phase::kStarted, "a log is started before its first segment is begun");
  KVFS_TRY(failure_.Check());
  KVFS_TRY(BeginSegment());
  return own_->number;
}

void RedoLog::Suspend() {
  const MutexLock lock(mutex_);
  own_.reset();
}

Result<void> RedoLog::RecycleBefore(uint64_t number, size_t spares) {
  std::vector<std::string> retired;
  {
    const MutexLock lock(mutex_);
    KVFS_REQUIRE(phase_ == Phase::kStarted, "a log is started before segments are recycled");
    KVFS_REQUIRE(!own_ || own_->number >= number, "the segment that is written is not recycled");
    while (!segments_.empty() && segments_.front()->number < number) {
      // If a flush in progress still uses the file, it is removed, not reused.
      const bool is_free = segments_.front().use_count() == 1;
      if (is_free && !segments_.front()->file->IsSuspect()) {
        spares_.push_back(std::move(*segments_.front()));
      } else {
        retired.push_back(segments_.front()->path);
      }
      segments_.erase(segments_.begin());
    }
    auto is_one_too_many = [&]() KVFS_REQUIRES_LOCK(mutex_) {
      const bool exceeds = segments_.size() + spares_.size() > config_.most_segments;
      return spares_.size() > spares || (exceeds && spares_.size() > 1);
    };
    while (is_one_too_many()) {
      retired.push_back(spares_.back().path);
      spares_.pop_back();
    }
  }
  for (const std::string& path : retired) KVFS_TRY(env_->RemoveFile(path));
  return {};
}

void RedoLog::TrimSpares(uint64_t bytes) {
  const MutexLock lock(mutex_);
  for (Segment& spare : spares_) Unback(&spare, bytes, config_.segment_bytes);
  if (!own_) return;
  // Writes through the mapping so far are before this offset.
  const uint64_t end = (own_->end + kFirstBackedBytes - 1) / kFirstBackedBytes * kFirstBackedBytes;
  Unback(own_.get(), std::max(bytes, end), config_.segment_bytes);
}

Result<void> RedoLog::PrepareSpares(size_t count) {
  while (true) {
    {
      const MutexLock lock(mutex_);
      KVFS_REQUIRE(phase_ == Phase::kStarted, "a log is started before spares are made");
      if (spares_.size() >= count) return {};
    }
    KVFS_ASSIGN(Segment created, CreateSegment());
    const MutexLock lock(mutex_);
    spares_.push_back(std::move(created));
  }
}

// The spare is not in the list meanwhile, so that no lock is held while the system waits for the
// file system's journal.
Result<void> RedoLog::WarmNext() {
  Result<void> warmed;
  for (bool is_last = false; !is_last;) {
    std::optional<Segment> spare = TakeSpare();
    is_last = !spare;
    if (is_last) {
      KVFS_ASSIGN(spare, CreateSegment());
    }
    warmed = Warm(&*spare);
    if (IsUnharmed(*spare, warmed)) {
      const MutexLock lock(mutex_);
      spares_.push_back(*std::move(spare));
      return warmed;
    }
    KVFS_TRY(Discard(*spare));
  }
  return warmed;
}

std::optional<RedoLog::Segment> RedoLog::TakeSpare() {
  const MutexLock lock(mutex_);
  if (spares_.empty()) return std::nullopt;
  Segment spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

// Overwrites the header with its own bytes: its page is then in memory, and writable.
Result<void> RedoLog::Warm(Segment* spare) const {
  std::array<std::byte, kSegmentHeaderBytes> header;
  spare->file->MapForWriting(config_.segment_bytes);
  KVFS_TRY(Back(spare, kFirstBackedBytes));
  KVFS_TRY(spare->file->Read(0, header));
  KVFS_TRY(spare->file->Write(0, header));
  return RequireSound(*spare);
}

uint64_t RedoLog::DiskBytes() const {
  const MutexLock lock(mutex_);
  uint64_t total = 0;
  for (const auto& segment : segments_) total += segment->file->AllocatedBytes().value_or(0);
  for (const Segment& spare : spares_) total += spare.file->AllocatedBytes().value_or(0);
  return total;
}

uint64_t RedoLog::FileBytes() const {
  const MutexLock lock(mutex_);
  return (segments_.size() + spares_.size()) * config_.segment_bytes;
}

}  // namespace kvfs
