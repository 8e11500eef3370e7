// Appending, group commit, replaying, recycling.
#include "store/redo_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "store/format/superblock.h"

namespace kvfs {

using format::kSegmentHeaderBytes;
using format::LogRecord;
using format::SegmentHeader;

namespace {

constexpr std::string_view kFilePrefix = "segment-";
// Each life of the log numbers its segments from so much further on. A segment's header may be lost
// in a crash while records behind it reach the disk; if its number were used again, they could pass
// for new ones. No life begins so many segments.
constexpr uint64_t kLifeStride = uint64_t{1} << 32;

// The number in a segment's file name; it only tells files apart.
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

Result<void> RedoLog::Open(Access access) {
  auto listed = env_->ListDirectory(config_.directory);
  if (!listed && listed.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kCorrupt, "the store lacks its log, " + config_.directory);
  }
  KVFS_ASSIGN(const std::vector<std::string> names, std::move(listed));
  for (const std::string& name : names) {
    const auto file_number = FileNumber(name);
    if (!file_number) continue;
    files_created_ = std::max(files_created_, *file_number + 1);
    Segment segment;
    segment.path = config_.directory + "/" + name;
    KVFS_ASSIGN(segment.file, env_->OpenFile(segment.path, access));
    KVFS_ASSIGN(uint64_t size, segment.file->SizeBytes());
    std::vector<std::byte> header(std::min<uint64_t>(size, kSegmentHeaderBytes));
    KVFS_TRY(segment.file->Read(0, header));
    const auto decoded = SegmentHeader::Decode(header, config_.store);
    if (size < config_.segment_bytes) {
      if (decoded) return Fail(ErrorCode::kCorrupt, segment.path + " has been cut short");
      // A segment whose creation a crash has cut off.
      if (access == Access::kReadWrite) KVFS_TRY(env_->RemoveFile(segment.path));
      continue;
    }
    if (decoded) {
      segment.number = decoded->number;
      segment.first_sequence = decoded->first_sequence;
      segments_.push_back(std::make_shared<Segment>(std::move(segment)));
    } else {
      spares_.push_back(std::move(segment));
    }
  }
  std::ranges::sort(segments_, {}, [](const auto& segment) { return segment->number; });
  return {};
}

// From the newest backwards: a segment ends what the older ones have from its first sequence on.
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
  std::vector<std::byte> bytes(config_.segment_bytes);
  KVFS_TRY(segment.file->Read(0, bytes));
  return bytes;
}

Result<void> RedoLog::Replay(uint64_t first_segment, uint64_t next,
                             const std::function<Result<bool>(const LogRecord&)>& visit) const {
  for (const Part& part : PartsFrom(first_segment)) {
    // One that begins too late: what lies between was never durable, or is damaged.
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
  const uint64_t seed = format::SegmentSeed(config_.store, part.segment->number);
  Bytes rest = Bytes(bytes).subspan(kSegmentHeaderBytes);
  while (next < part.end) {
    const auto record = format::DecodeLogRecord(rest, next, seed);
    if (!record) return next;
    KVFS_ASSIGN(const bool goes_on, visit(*record));
    if (!goes_on) return next;
    ++next;
    rest = rest.subspan(record->EncodedBytes());
  }
  return next;
}

Result<uint64_t> RedoLog::ProvenDurable(uint64_t first_segment) const {
  uint64_t proven = 0;
  for (const Part& part : PartsFrom(first_segment)) {
    KVFS_ASSIGN(const uint64_t by_part, ProvenByPart(part));
    proven = std::max(proven, by_part);
  }
  return proven;
}

// Where a record is damaged nobody knows where the next begins: every offset is tried.
Result<uint64_t> RedoLog::ProvenByPart(const Part& part) const {
  // Bytes that look like a record's front by accident are rare.
  constexpr int kMostFailures = 1000;
  KVFS_ASSIGN(const std::vector<std::byte> bytes, ReadSegment(*part.segment));
  const uint64_t seed = format::SegmentSeed(config_.store, part.segment->number);
  const uint64_t most = part.segment->first_sequence + bytes.size() / format::kLogRecordHeaderBytes;
  Bytes rest = Bytes(bytes).subspan(kSegmentHeaderBytes);
  uint64_t proven = 0;
  for (int failures = 0; failures < kMostFailures;) {
    const auto sequence = format::PeekSequence(rest);
    if (!sequence) break;
    const bool is_likely =
        *sequence >= part.segment->first_sequence && *sequence < std::min(part.end, most);
    const auto record = is_likely ? format::DecodeLogRecord(rest, *sequence, seed) : std::nullopt;
    failures += is_likely && !record ? 1 : 0;
    if (record) proven = std::max(proven, record->durable);
    rest = rest.subspan(record ? record->EncodedBytes() : format::NextRecordOffset(rest));
  }
  return proven;
}

Result<RedoLog::Segment> RedoLog::CreateSegment() {
  Segment segment;
  segment.path =
      config_.directory + "/" + std::string(kFilePrefix) + std::to_string(files_created_++);
  KVFS_ASSIGN(segment.file, env_->CreateFile(segment.path));
  auto ready = segment.file->Allocate(0, config_.segment_bytes);
  if (ready) ready = segment.file->Sync();
  if (ready) ready = env_->SyncDirectory(config_.directory);
  if (!ready) {
    static_cast<void>(env_->RemoveFile(segment.path));
    return tl::unexpected(std::move(ready).error());
  }
  return segment;
}

Result<void> RedoLog::BeginSegment() {
  if (spares_.empty()) {
    KVFS_ASSIGN(Segment created, CreateSegment());
    spares_.push_back(std::move(created));
  }
  auto segment = std::make_shared<Segment>(std::move(spares_.back()));
  spares_.pop_back();
  segment->number = next_number_++;
  segment->first_sequence = next_sequence_;
  segment->end = kSegmentHeaderBytes;
  segment->unsynced = true;
  segment->file->MapForWriting(config_.segment_bytes);
  const SegmentHeader header{segment->number, segment->first_sequence};
  KVFS_TRY(segment->file->Write(0, header.Encode(config_.store)));
  segments_.push_back(std::move(segment));
  return {};
}

bool RedoLog::Has(uint64_t segment) const {
  return std::ranges::any_of(segments_, [&](const auto& it) { return it->number == segment; });
}

void RedoLog::Start(uint64_t first_segment, uint64_t next, uint64_t durable) {
  std::lock_guard lock(mutex_);
  next_sequence_ = next;
  durable_ = durable;
  const uint64_t newest =
      segments_.empty() ? first_segment : std::max(first_segment, segments_.back()->number);
  next_number_ = newest + kLifeStride;
  while (!segments_.empty() && segments_.front()->number < first_segment) {
    spares_.push_back(std::move(*segments_.front()));
    segments_.erase(segments_.begin());
  }
  // What a process that died had only handed to the kernel is not known to be on the disk.
  for (const auto& segment : segments_) segment->unsynced = true;
}

Result<uint64_t> RedoLog::Append(std::vector<std::byte>* record) {
  std::lock_guard lock(mutex_);
  if (failure_) return tl::unexpected(*failure_);
  if (segments_.back()->end + record->size() > config_.segment_bytes) {
    // One spare stays for the checkpoint, which a full disk needs to get space back. Without room
    // for another segment nothing is lost, and nothing has changed.
    if (spares_.size() < 2) {
      KVFS_ASSIGN(Segment created, CreateSegment());
      spares_.insert(spares_.begin(), std::move(created));
    }
    KVFS_TRY(BeginSegment());
  }
  Segment& segment = *segments_.back();
  format::SealLogRecord(record, next_sequence_, durable_,
                        format::SegmentSeed(config_.store, segment.number));
  if (auto written = segment.file->Write(segment.end, *record); !written) {
    failure_ = Error{ErrorCode::kReadOnly, "an earlier write to the log failed (" +
                                               written.error().message + "); reopen the store"};
    return tl::unexpected(Error{ErrorCode::kIo, written.error().message});
  }
  segment.end += record->size();
  segment.unsynced = true;
  return next_sequence_++;
}

uint64_t RedoLog::appended() const {
  std::lock_guard lock(mutex_);
  return next_sequence_ - 1;
}

uint64_t RedoLog::durable() const {
  std::lock_guard lock(mutex_);
  return durable_;
}

Result<void> RedoLog::SyncTo(uint64_t sequence) {
  std::unique_lock lock(mutex_);
  if (durable_ < sequence) group_.Join(sequence);
  while (durable_ < sequence) {
    if (failure_) return tl::unexpected(*failure_);
    if (syncing_) {
      sync_done_.wait(lock);
      continue;
    }
    syncing_ = true;
    group_.Gather(lock);
    const uint64_t target = next_sequence_ - 1;
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    auto synced = SyncSegmentsFrom(0);
    const auto took = std::chrono::steady_clock::now() - begin;
    lock.lock();
    syncing_ = false;
    if (synced) {
      durable_ = std::max(durable_, target);
      group_.NoteFlush(took, group_.Release(durable_));
    } else {
      failure_ = Error{ErrorCode::kReadOnly, "an earlier sync of the log failed (" +
                                                 synced.error().message + "); reopen the store"};
    }
    sync_done_.notify_all();
    if (!synced) return tl::unexpected(std::move(synced).error());
  }
  return {};
}

// Flushes what the records refer to, then the segments with records not yet flushed.
Result<void> RedoLog::SyncSegmentsFrom(uint64_t first) {
  std::lock_guard one_at_a_time(flushing_);
  std::vector<std::shared_ptr<Segment>> unsynced;
  {
    std::lock_guard lock(mutex_);
    for (const auto& segment : segments_) {
      if (segment->number < first || !std::exchange(segment->unsynced, false)) continue;
      unsynced.push_back(segment);
    }
  }
  KVFS_TRY(before_sync_());
  for (const auto& segment : unsynced) KVFS_TRY(segment->file->Sync());
  return {};
}

void RedoLog::MarkDurable(uint64_t sequence) {
  std::lock_guard lock(mutex_);
  durable_ = std::max(durable_, sequence);
  group_.Release(durable_);
  sync_done_.notify_all();
}

uint64_t RedoLog::NextNumber() const {
  std::lock_guard lock(mutex_);
  return next_number_;
}

Result<uint64_t> RedoLog::Rotate() {
  std::lock_guard lock(mutex_);
  if (failure_) return tl::unexpected(*failure_);
  KVFS_TRY(BeginSegment());
  return segments_.back()->number;
}

Result<void> RedoLog::RecycleBefore(uint64_t number, size_t spares) {
  std::vector<std::string> retired;
  {
    std::lock_guard lock(mutex_);
    while (!segments_.empty() && segments_.front()->number < number) {
      // A flush under way may still hold the file: then it is not reused, only removed.
      if (segments_.front().use_count() == 1) {
        spares_.push_back(std::move(*segments_.front()));
      } else {
        retired.push_back(segments_.front()->path);
      }
      segments_.erase(segments_.begin());
    }
    while (spares_.size() > spares) {
      retired.push_back(spares_.back().path);
      spares_.pop_back();
    }
  }
  for (const std::string& path : retired) KVFS_TRY(env_->RemoveFile(path));
  return {};
}

Result<void> RedoLog::RecycleAll() { return RecycleBefore(~uint64_t{0}, 2); }

Result<void> RedoLog::PrepareSpares(size_t count) {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (spares_.size() >= count) return {};
    }
    KVFS_ASSIGN(Segment created, CreateSegment());
    std::lock_guard lock(mutex_);
    spares_.push_back(std::move(created));
  }
}

// Its header is written over by itself: the page is then there, and may be written to. The spare is
// out of the list meanwhile, as the system may have to wait for the disk's journal.
Result<void> RedoLog::WarmNext() {
  std::unique_lock lock(mutex_);
  if (spares_.empty()) return {};
  Segment next = std::move(spares_.back());
  spares_.pop_back();
  lock.unlock();
  std::array<std::byte, kSegmentHeaderBytes> header;
  next.file->MapForWriting(config_.segment_bytes);
  auto warmed = next.file->Read(0, header);
  if (warmed) warmed = next.file->Write(0, header);
  lock.lock();
  spares_.push_back(std::move(next));
  return warmed;
}

uint64_t RedoLog::FileBytes() const {
  std::lock_guard lock(mutex_);
  return (segments_.size() + spares_.size()) * config_.segment_bytes;
}

}  // namespace kvfs
