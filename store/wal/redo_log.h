// The redo log: one for the whole store, so that operations have one order.
//
// Append hands a record to the kernel before it returns, so that it survives the death of the
// process; SyncTo makes all records up to one survive the death of the machine, and those who call
// it together share one flush (group commit). The log is a row of segment files (format:
// store/format/log_segment.h). A checkpoint begins a new segment; once it is durable the older
// ones are recycled. A record never spans two segments.
//
// A spare segment is kept ready, its directory entry durable, so that changing over costs one small
// write. The segment that is written is mapped (File::MapForWriting): an append is a copy of the
// record's bytes, not a system call.
//
// Each opening begins a segment of its own, before there is a checkpoint that names it. Its header
// tells the sequence it begins with, and so where the segments before it end: what lies behind in
// those, a record that was not durable when its successor was found missing, is never looked at
// again.
//
// All segment files have one size; but what lies behind the part that was written, or is soon to
// be, is a hole. That part grows by doubling (Back), and keeps its size when a segment is used
// again: so the log of a store that changes little is small.
//
// The life of a log, in this order (what comes too early fails with kInternal, and does nothing):
//
//   Open     finds the segments; Replay, ProvenDurable and Has look into them
//   Start    ends the replay
//   Rotate   begins a segment of this life: records are appended there, and nowhere else
//   Suspend  lets go of it; as before the first Rotate, Append fails with kNoSpace. A checkpoint
//            that no log continues then makes every segment a spare, and Rotate needs no room
//
// INVARIANT: the segment files are those being written or replayed, and the spares.
// INVARIANT: own_ is the last of segments_, or none; only Rotate and Append make it another.
// INVARIANT: no spare is a file that an operation has failed on, or that has been half prepared.
// After a failed write or sync nothing is appended or flushed any more, whoever met the failure:
// what the file holds is not known.
//
// Threads: Append, appended, durable, FileBytes, SyncTo, SyncSegmentsFrom and SyncSegment are
// safe from many.
// Start, Rotate, RecycleBefore and PrepareSpares are for one thread at a time, beside the others.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
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
  uint64_t most_segments = ~uint64_t{0};  // spares included; more where there is no other way
};

class RedoLog {
 public:
  // `env` must outlive the log. `before_sync` runs inside SyncTo, before the log's own flush: it
  // makes durable what records refer to.
  RedoLog(Env* env, RedoLogConfig config, std::function<Result<void>()> before_sync);

  // Finds the segments in the directory. Of a store that is only read nothing is changed.
  Result<void> Open(Access access);
  // Finds segments whose headers are lost by the records in them: those of the numbers `expected`,
  // and those that come next after others. To be called between Open and Replay, unless nothing is
  // to be replayed. A file that holds no such records stays a spare.
  Result<void> FindHeadless(const std::vector<uint64_t>& expected);

  // Calls `visit` for each record from sequence `next` on, which stands at the start of segment
  // `first_segment`, until a record is missing or torn, or `visit` returns false.
  Result<void> Replay(uint64_t first_segment, uint64_t next,
                      const std::function<Result<bool>(const format::LogRecord&)>& visit) const;
  // The highest sequence of which any record proves that it was durable, whether those between can
  // be read or not; 0 if there is none. Reads each segment once.
  Result<uint64_t> ProvenDurable(uint64_t first_segment) const;

  // The highest sequence that the process which had the log last has appended, as long as only its
  // death can have ended it; 0 if that is not known. `segment` is the newest that is known of it.
  uint64_t Appended(uint64_t segment) const;

  // False if the segment at which a replay begins is not there.
  bool Has(uint64_t segment) const;
  // The path of a segment, from that number on, whose file has been cut short; empty if none has.
  std::string CutSegment(uint64_t first_segment) const;

  // Ends the replay and begins this life of the log, whose first record will have sequence `next`;
  // records up to `durable` need no flush any more. Segments before `first_segment` are spares from
  // now on; spares of less than the full size, as creations that were cut off leave them, are
  // removed.
  Result<void> Start(uint64_t first_segment, uint64_t next, uint64_t durable);

  static constexpr size_t RecordOverhead() { return format::kLogRecordHeaderBytes; }
  uint64_t MaxPayloadBytes() const {
    return config_.segment_bytes - format::kSegmentHeaderBytes - format::kLogRecordHeaderBytes;
  }

  // Appends a record whose payload stands behind RecordOverhead() free bytes in `record`; returns
  // its sequence. kNoSpace: there is no room for a segment, or none has been begun; nothing has
  // happened, and a checkpoint makes room.
  Result<uint64_t> Append(std::vector<std::byte>* record);
  uint64_t appended() const;
  uint64_t durable() const;
  // Whether there is a segment to append to.
  bool CanAppend() const;
  // Returns when every record up to `sequence`, one that was appended, is durable.
  Result<void> SyncTo(uint64_t sequence);
  // Flushes the segments from number `first` on that were written to or replayed, and what records
  // refer to. kNoSpace if a disk that needs room to write over what is there has none: nothing is
  // durable then, and it may be tried again.
  Result<void> SyncSegmentsFrom(uint64_t first);
  // Flushes the segment of that number alone, not what its records refer to: it will be found,
  // and none of its records counts as durable.
  Result<void> SyncSegment(uint64_t number);
  // What records refer to has failed to be written: nothing is appended any more, and what a later
  // process finds missing is no damage.
  void Stop(const Error& error);
  // kReadOnly once a write or sync has failed.
  Result<void> Check() const { return failure_.Check(); }
  // A checkpoint has made the records up to `sequence` durable in its own way.
  void MarkDurable(uint64_t sequence);

  // The number of the segment that is begun next.
  uint64_t NextNumber() const;
  // Begins a new segment; returns its number. To be called while nobody appends.
  Result<uint64_t> Rotate();
  // Nothing is appended until the next Rotate. To be called while nobody appends.
  void Suspend();
  // Makes segments with lower numbers spares, and removes spares above so many, or above one where
  // there are too many files. The segment that is appended to is never among them: before the last
  // of all, Suspend.
  Result<void> RecycleBefore(uint64_t number, size_t spares);
  // Makes holes of what spares have behind their first `bytes`, and of the unused end of the
  // segment that is written.
  void TrimSpares(uint64_t bytes);
  // Makes sure of so many spares; kNoSpace.
  Result<void> PrepareSpares(size_t count);
  // Prepares the spare that Rotate takes, so that this takes a moment: the first write to a page of
  // a file may wait for the disk. One call at a time.
  Result<void> WarmNext();

  // Size of all segment files, and what they take on the disk, holes left out.
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
    uint64_t end = 0;     // where the next record goes
    uint64_t backed = 0;  // so many bytes at its beginning have disk space for sure
    // Writes, and how many of them a flush has made durable.
    uint64_t writes = 0;
    uint64_t durable_writes = 0;
    // Up to where a replay has read it. It may be in the system's cache only, in pages that are
    // taken for clean since their writeback failed: the next flush writes it again. 0: nothing is
    // owed.
    mutable uint64_t replayed_bytes = 0;

    format::SegmentHeader header() const { return {number, first_sequence, version}; }
    void Become(const format::SegmentHeader& header, const format::StoreId& store);
  };

  enum class Phase { kNew, kOpened, kStarted };

  // A segment of a replay, and the sequence at which a later one goes on.
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
  Result<void> BeginSegment();  // mutex_ held
  std::vector<uint64_t> MissingNumbers(const std::vector<uint64_t>& expected) const;
  std::optional<format::SegmentHeader> HeaderByRecords(Bytes bytes, uint64_t number) const;
  Result<void> RemoveCutSpares();
  std::string MarkPath() const { return config_.directory + "/mark"; }
  std::optional<Segment> TakeSpare();
  Result<void> Warm(Segment* spare) const;
  using Pending = std::vector<std::pair<std::shared_ptr<Segment>, uint64_t>>;  // writes so far
  Pending UnsyncedFrom(uint64_t first) const;
  Result<void> SyncWith(const std::function<Result<void>()>& flush);
  Result<void> FlushSegments(const Pending& pending);
  static Result<void> Rewrite(const Segment& segment);
  tl::unexpected<Error> FailForGood(const std::string& operation, Error error);
  void BeginMark();  // mutex_ held
  std::vector<Part> PartsFrom(uint64_t first_segment) const;
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

  RankedMutex flushing_{
      LockRank::kLogFlush};  // one flush at a time: who finds nothing to flush can rely on it
  mutable RankedMutex mutex_{
      LockRank::kLog};  // guards all below; held across a flush only to make a segment
  Phase phase_ = Phase::kNew;
  std::vector<std::shared_ptr<Segment>> segments_;  // ascending by number
  std::shared_ptr<Segment> own_;                    // where records are appended; may be null
  std::vector<Segment> spares_;
  uint64_t next_sequence_ = 1;
  uint64_t next_number_ = 1;
  uint64_t durable_ = 0;
  LogMarkFile mark_;
  bool has_begun_ = false;  // this life has a segment
  bool syncing_ = false;
  GroupCommit group_;
  std::condition_variable_any sync_done_;
};

}  // namespace kvfs
