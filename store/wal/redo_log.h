// The redo log: one for the whole store, so that operations have one order.
//
// Append passes a record to the kernel before it returns, so the record survives a crash of the
// process. SyncTo makes all records up to a sequence survive power loss; concurrent callers share
// one flush (group commit). The log is a series of segment files (docs/format.md). A checkpoint
// begins a new segment; once the checkpoint is durable, the older segments are recycled. A record
// never spans two segments.
//
// A spare segment is kept, whose directory entry is durable, so that switching segments costs one
// small write. The current segment is mapped (File::MapForWriting): an append copies the record's
// bytes, without a system call.
//
// Each opening begins a new segment, before any checkpoint names it. The segment's header has the
// sequence of its first record, which is where the earlier segments end: records after that point
// in those, which the replay did not reach because an earlier record was missing, are never read
// again.
//
// All segment files have the same size, but only a beginning has disk space: the part that has been
// or will soon be written. It grows in large steps (Back), and is kept when the segment is
// recycled. So the log of a store that changes little is small.
//
// The life of a log has these steps, in this order (a call made too early fails with kInternal, and
// does nothing):
//
//   Open     finds the segments; Replay, ProvenDurable and Has read them
//   Start    ends the replay
//   Rotate   begins a segment of this life; records are appended only to such segments
//   Suspend  leaves that segment; as before the first Rotate, Append fails with kNoSpace. After a
//            checkpoint that no log continues every segment is a spare, and Rotate needs no disk
//            space
//
// INVARIANT: the segment files are those being written or replayed, and the spares.
// INVARIANT: own_ is the last of segments_, or null; only Rotate and Append begin another one.
// INVARIANT: no spare is a file that an operation has failed on, or that is half prepared.
// After a failed write or sync, in any thread, nothing is appended or flushed any more, as the
// contents of the file are unknown.
//
// Threads: Append, appended, durable, FileBytes, SyncTo, SyncSegmentsFrom and SyncSegment are
// thread-safe. Start, Rotate, RecycleBefore and PrepareSpares may be called by one thread at a
// time, concurrently with the others.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <kvfs/env.h>
#include "store/base/lock_rank.h"
#include "store/base/sticky_failure.h"
#include "store/format/log_segment.h"
#include "store/wal/group_commit.h"
#include "store/wal/log_mark.h"

namespace kvfs {

struct RedoLogConfig {
  std::string directory;
  format::StoreId store{};
  uint64_t segment_bytes = 0;
  uint64_t most_segments = ~uint64_t{0};  // spares included; exceeded if unavoidable
};

class RedoLog {
 public:
  // `env` must outlive the log. `before_sync` is called by SyncTo and SyncSegmentsFrom, before they
  // flush the log: it must make durable the blocks that records refer to.
  RedoLog(Env* env, RedoLogConfig config, std::function<Result<void>()> before_sync);

  // --- before Start: one thread, which therefore takes no lock; and so nothing here is checked ---

  // Finds the segments in the directory. With kReadOnly nothing is changed.
  Result<void> Open(Access access) KVFS_NO_THREAD_SAFETY_ANALYSIS;
  // Identifies segments whose headers are lost by their records: those with the numbers `expected`,
  // and those that follow other segments. To be called between Open and Replay, if there is
  // anything to replay. A file without such records stays a spare.
  Result<void> FindHeadless(const std::vector<uint64_t>& expected) KVFS_NO_THREAD_SAFETY_ANALYSIS;

  // Calls `visit` for each record from sequence `next` on, the first of segment `first_segment`,
  // until a record is missing or torn, or `visit` returns false.
  Result<void> Replay(uint64_t first_segment, uint64_t next,
                      const std::function<Result<bool>(const format::LogRecord&)>& visit) const
      KVFS_NO_THREAD_SAFETY_ANALYSIS;
  // The highest sequence that any record proves to have been durable, whether or not the records up
  // to it can be read; 0 if there is none. Reads each segment once.
  Result<uint64_t> ProvenDurable(uint64_t first_segment) const KVFS_NO_THREAD_SAFETY_ANALYSIS;

  // The highest sequence appended by the process that used the log last, provided that nothing
  // but a crash of that process can have happened since; 0 if unknown. `segment` is the newest one
  // that it is known to have begun.
  uint64_t Appended(uint64_t segment) const;

  // Whether the segment with this number was found.
  bool Has(uint64_t segment) const KVFS_NO_THREAD_SAFETY_ANALYSIS;
  // The path of a segment, from that number on, whose file has been truncated; empty if there is
  // none.
  std::string CutSegment(uint64_t first_segment) const KVFS_NO_THREAD_SAFETY_ANALYSIS;

  // --- from Start on ---

  // Ends the replay and begins this life of the log, whose first record will have sequence `next`;
  // records up to `durable` need no flush. Segments before `first_segment` become spares; spares
  // of less than the full size, left by interrupted creations, are removed.
  Result<void> Start(uint64_t first_segment, uint64_t next, uint64_t durable);

  static constexpr size_t RecordOverhead() { return format::kLogRecordHeaderBytes; }
  uint64_t MaxPayloadBytes() const {
    return config_.segment_bytes - format::kSegmentHeaderBytes - format::kLogRecordHeaderBytes;
  }

  // Appends a record, whose payload in `record` follows RecordOverhead() unused bytes; returns its
  // sequence. kNoSpace: the disk has no room, or no segment has been begun; nothing has changed,
  // and a checkpoint makes room.
  Result<uint64_t> Append(std::vector<std::byte>* record);
  uint64_t appended() const;
  uint64_t durable() const;
  // Whether there is a segment to append to.
  bool CanAppend() const;
  // Returns when all records up to `sequence`, which must have been appended, are durable.
  Result<void> SyncTo(uint64_t sequence);
  // Flushes the segments from number `first` on that were written or replayed, and the blocks that
  // records refer to. kNoSpace if the disk needs space to overwrite data, and has none: nothing
  // counts as durable then, and the call may be repeated.
  Result<void> SyncSegmentsFrom(uint64_t first);
  // Flushes the segment with this number alone, without the blocks that its records refer to: the
  // segment will be found by an opening, but none of its records counts as durable.
  Result<void> SyncSegment(uint64_t number);
  // To be called when data that records refer to could not be written. Nothing is appended any
  // more, and a later process does not take missing records for damage.
  void Stop(const Error& error);
  // kReadOnly once a write or sync has failed.
  Result<void> Check() const { return failure_.Check(); }
  // Notes that a checkpoint has made the records up to `sequence` durable.
  void MarkDurable(uint64_t sequence);

  // The number of the next segment.
  uint64_t NextNumber() const;
  // Begins a new segment; returns its number. No Append may be in progress.
  Result<uint64_t> Rotate();
  // Ends appending until the next Rotate. No Append may be in progress.
  void Suspend();
  // Makes segments with lower numbers spares, and removes spares beyond the number `spares`, or
  // beyond one if there are more than most_segments files. The current segment cannot be recycled:
  // call Suspend first.
  Result<void> RecycleBefore(uint64_t number, size_t spares);
  // Punches a hole after the first `bytes` of each spare, and for the unused end of the current
  // segment.
  void TrimSpares(uint64_t bytes);
  // Ensures that there are at least `count` spares; kNoSpace.
  Result<void> PrepareSpares(size_t count);
  // Prepares the spare that Rotate will use, so that Rotate is fast: the first write to a page of a
  // file may wait for the disk. One call at a time.
  Result<void> WarmNext();

  // Total size of all segment files, and their disk space without holes.
  uint64_t FileBytes() const;
  uint64_t DiskBytes() const;

 private:
  struct Segment {
    std::string path;
    std::unique_ptr<File> file;
    uint64_t number = 0;  // 0: a spare
    uint64_t first_sequence = 0;
    format::SegmentVersion version = format::SegmentVersion::kNew;
    uint64_t seed = 0;  // of its records' checksums
    uint64_t bytes = 0;
    uint64_t end = 0;     // offset of the next record
    uint64_t backed = 0;  // bytes from the beginning that are known to have disk space
    // Number of writes, and how many of them are durable.
    uint64_t writes = 0;
    uint64_t durable_writes = 0;
    // End of the part that a replay has read. That part may be in the page cache only, in pages
    // that count as clean because their writeback failed: so the next flush rewrites it. 0: there
    // is nothing to rewrite.
    mutable uint64_t replayed_bytes = 0;

    format::SegmentHeader header() const { return {number, first_sequence, version}; }
    void Become(const format::SegmentHeader& header, const format::StoreId& store);
  };

  enum class Phase { kNew, kOpened, kStarted };

  // A segment to replay, and the sequence at which a later segment continues.
  struct Part {
    const Segment* segment;
    uint64_t end;
  };

  Result<Segment> CreateSegment();
  Result<void> Back(Segment* segment, uint64_t bytes) const;
  static void Unback(Segment* segment, uint64_t bytes, uint64_t segment_bytes);
  Result<void> Discard(const Segment& segment);
  static bool IsUnharmed(const Segment& spare, const Result<void>& tried);
  static Result<void> RequireSound(const Segment& segment);
  Result<void> WriteHeader(Segment* segment) const;
  Result<void> BeginSegment() KVFS_REQUIRES_LOCK(mutex_);
  std::vector<uint64_t> MissingNumbers(const std::vector<uint64_t>& expected) const
      KVFS_NO_THREAD_SAFETY_ANALYSIS;  // before Start
  std::optional<format::SegmentHeader> HeaderByRecords(Bytes bytes, uint64_t number) const;
  Result<void> RemoveCutSpares() KVFS_REQUIRES_LOCK(mutex_);
  std::string MarkPath() const { return config_.directory + "/mark"; }
  std::optional<Segment> TakeSpare();
  Result<void> Warm(Segment* spare) const;
  using Pending = std::vector<std::pair<std::shared_ptr<Segment>, uint64_t>>;  // writes so far
  Pending UnsyncedFrom(uint64_t first) const;
  Result<void> SyncWith(const std::function<Result<void>()>& flush);
  Result<void> FlushSegments(const Pending& pending) KVFS_REQUIRES_LOCK(flushing_);
  static Result<void> Rewrite(const Segment& segment);
  tl::unexpected<Error> FailForGood(const std::string& operation, Error error);
  void BeginMark() KVFS_REQUIRES_LOCK(mutex_);
  std::vector<Part> PartsFrom(uint64_t first_segment) const
      KVFS_NO_THREAD_SAFETY_ANALYSIS;  // before Start
  Result<std::vector<std::byte>> ReadSegment(const Segment& segment) const;
  Result<uint64_t> ReplayPart(
      const Part& part, uint64_t next,
      const std::function<Result<bool>(const format::LogRecord&)>& visit) const;

  Env* env_;
  const RedoLogConfig config_;
  Access access_ = Access::kReadOnly;
  const std::function<Result<void>()> before_sync_;
  std::atomic<uint64_t> files_created_ = 0;
  StickyFailure failure_;

  // One flush at a time: nothing left to flush means all is durable.
  RankedMutex flushing_{LockRank::kLogFlush};
  // Held across a flush only to create a segment. Until Start one thread has the log, and takes no
  // lock.
  mutable RankedMutex mutex_{LockRank::kLog};
  Phase phase_ KVFS_GUARDED_BY(mutex_) = Phase::kNew;
  // Ascending by number.
  std::vector<std::shared_ptr<Segment>> segments_ KVFS_GUARDED_BY(mutex_);
  // The current segment; may be null.
  std::shared_ptr<Segment> own_ KVFS_GUARDED_BY(mutex_);
  std::vector<Segment> spares_ KVFS_GUARDED_BY(mutex_);
  uint64_t next_sequence_ KVFS_GUARDED_BY(mutex_) = 1;
  uint64_t next_number_ KVFS_GUARDED_BY(mutex_) = 1;
  uint64_t durable_ KVFS_GUARDED_BY(mutex_) = 0;
  LogMarkFile mark_ KVFS_GUARDED_BY(mutex_);
  bool has_begun_ KVFS_GUARDED_BY(mutex_) = false;  // this life of the log has a segment
  bool syncing_ KVFS_GUARDED_BY(mutex_) = false;
  GroupCommit group_ KVFS_GUARDED_BY(mutex_);
  std::condition_variable_any sync_done_;
};

}  // namespace kvfs
