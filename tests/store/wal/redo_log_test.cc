// The redo log on a disk in memory: appended records are replayed, up to the first one that is
// missing or torn, and records of earlier uses of a segment never are.
#include "store/wal/redo_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "store/env/memory_env.h"

namespace kvfs {
namespace {

constexpr uint64_t kSegmentBytes = 4096;
const format::StoreId kStore = {std::byte{7}};

std::string Payload(uint64_t sequence, size_t size = 100) {
  std::string text = "record " + std::to_string(sequence) + " ";
  text.resize(size, 'x');
  return text;
}

class RedoLogTest : public testing::Test {
 protected:
  RedoLogTest() {
    EXPECT_TRUE(env_.CreateDirectory("log"));
    EXPECT_TRUE(env_.SyncDirectory(""));
    NewLife(1, 1);
  }

  std::unique_ptr<RedoLog> Load(Env& env, Access access = Access::kReadWrite) {
    auto log = std::make_unique<RedoLog>(&env, RedoLogConfig{"log", kStore, kSegmentBytes},
                                         [this]() -> Result<void> { return BeforeSync(); });
    EXPECT_TRUE(log->Open(access));
    return log;
  }
  Result<void> BeforeSync() {
    ++flushes_;
    return std::exchange(before_sync_, {});
  }

  // Opens the log again, and starts to append like a recovery; a checkpoint at the start of this
  // life names its first segment.
  void NewLife(uint64_t first_segment, uint64_t next) {
    log_ = Load(env_);
    ASSERT_TRUE(log_->Start(first_segment, next, next - 1));
    life_ = log_->Rotate().value();
    ASSERT_TRUE(log_->PrepareSpares(1));
  }
  uint64_t Append(const std::string& payload) {
    std::vector<std::byte> record(RedoLog::RecordOverhead() + payload.size());
    CopyBytes(record.data() + RedoLog::RecordOverhead(), AsBytes(payload));
    auto sequence = log_->Append(&record);
    EXPECT_TRUE(sequence) << sequence.error().message;
    return sequence.value_or(0);
  }
  void AppendMany(uint64_t count, size_t size = 100) {
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t sequence = log_->appended() + 1;
      ASSERT_EQ(Append(Payload(sequence, size)), sequence);
    }
  }
  Result<void> TryAppend() {
    std::vector<std::byte> record(RedoLog::RecordOverhead() + 10);
    KVFS_TRY(log_->Append(&record));
    return {};
  }

  // The last sequence that a replay from `next` in `first_segment` reaches; each record is
  // verified.
  uint64_t ReplayOf(Env& env, uint64_t first_segment, uint64_t next, size_t size = 100) {
    auto log = Load(env);
    auto replayed =
        log->Replay(first_segment, next, [&](const format::LogRecord& record) -> Result<bool> {
          EXPECT_EQ(record.sequence, next);
          EXPECT_EQ(AsText(record.payload), Payload(next, size));
          ++next;
          return true;
        });
    EXPECT_TRUE(replayed);
    return next - 1;
  }
  uint64_t Replayed() { return ReplayOf(*Everything(), life_, 1); }

  std::unique_ptr<MemoryEnv> Everything() { return env_.CrashImage({CrashChoice::Kind::kAll, 0}); }
  std::unique_ptr<MemoryEnv> OnlySynced() { return env_.CrashImage({CrashChoice::Kind::kNone, 0}); }
  size_t SegmentFiles() {
    const auto names = env_.ListDirectory("log").value();
    return static_cast<size_t>(std::ranges::count_if(
        names, [](const std::string& name) { return name.starts_with("segment-"); }));
  }
  std::set<std::string> Names() {
    std::set<std::string> segments;
    const auto names = env_.ListDirectory("log").value();
    for (const std::string& name : names) {
      if (name.starts_with("segment-")) segments.insert(name);
    }
    return segments;
  }
  // The file of the log that contains `text`.
  static std::string FileWith(Env& env, const std::string& text, uint64_t* offset) {
    const auto names = env.ListDirectory("log").value();
    for (const auto& name : names) {
      const std::string path = "log/" + name;
      std::string bytes(kSegmentBytes, '\0');
      EXPECT_TRUE(env.OpenFile(path).value()->Read(0, std::as_writable_bytes(std::span(bytes))));
      const size_t at = bytes.find(text);
      if (at == std::string::npos) continue;
      *offset = at;
      return path;
    }
    ADD_FAILURE() << "no segment holds " << text;
    return {};
  }

  MemoryEnv env_;
  std::unique_ptr<RedoLog> log_;
  uint64_t life_ = 0;  // its first segment
  std::atomic<int> flushes_ = 0;
  Result<void> before_sync_;  // the result of the next BeforeSync
};

TEST_F(RedoLogTest, ReplaysWhatWasAppended) {
  AppendMany(5);
  EXPECT_EQ(Replayed(), 5u);
}

TEST_F(RedoLogTest, AnEmptyLogReplaysNothing) { EXPECT_EQ(Replayed(), 0u); }

TEST_F(RedoLogTest, GoesOnOverSegments) {
  AppendMany(200);
  EXPECT_GT(log_->FileBytes(), 5 * kSegmentBytes);
  EXPECT_EQ(Replayed(), 200u);
}

TEST_F(RedoLogTest, TakesARecordThatFillsASegment) {
  const size_t largest = log_->MaxPayloadBytes();
  AppendMany(3, largest);
  EXPECT_EQ(ReplayOf(*Everything(), life_, 1, largest), 3u);
}

TEST_F(RedoLogTest, ReplayStopsWhereTheVisitorSays) {
  AppendMany(50);
  auto log = Load(*Everything());
  uint64_t seen = 0;
  ASSERT_TRUE(
      log->Replay(life_, 1, [&](const format::LogRecord&) -> Result<bool> { return ++seen < 40; }));
  EXPECT_EQ(seen, 40u);
}

TEST_F(RedoLogTest, ReplayStartsAtTheCheckpointsSegment) {
  AppendMany(3);
  const uint64_t second = log_->Rotate().value();
  AppendMany(4);
  EXPECT_EQ(ReplayOf(*Everything(), second, 4), 7u);
  EXPECT_EQ(Replayed(), 7u);
}

TEST_F(RedoLogTest, SyncMakesDurable) {
  AppendMany(60);
  ASSERT_TRUE(log_->SyncTo(60));
  AppendMany(10);
  EXPECT_EQ(log_->durable(), 60u);
  EXPECT_EQ(log_->appended(), 70u);
  EXPECT_EQ(ReplayOf(*OnlySynced(), life_, 1), 60u);
  EXPECT_EQ(flushes_, 1);
  ASSERT_TRUE(log_->SyncTo(60)) << "nothing to do";
  EXPECT_EQ(flushes_, 1);
}

// The state of the data that its records refer to does not matter here, but for a later sync.
TEST_F(RedoLogTest, ASegmentIsSyncedAloneAndThenFound) {
  AppendMany(1);
  ASSERT_TRUE(log_->SyncSegment(life_));
  EXPECT_EQ(flushes_, 0);
  EXPECT_EQ(log_->durable(), 0u);
  EXPECT_TRUE(Load(*OnlySynced())->Has(life_));
  ASSERT_TRUE(log_->SyncTo(1));
  EXPECT_EQ(flushes_, 1);
  EXPECT_EQ(log_->durable(), 1u);
}

TEST_F(RedoLogTest, AFailedSyncOfASegmentAloneIsFinal) {
  AppendMany(1);
  env_.InjectFault({.kind = OperationKind::kSync, .code = ErrorCode::kIo});
  EXPECT_EQ(log_->SyncSegment(life_).error().code, ErrorCode::kIo);
  EXPECT_EQ(log_->SyncSegment(life_).error().code, ErrorCode::kReadOnly);
  EXPECT_FALSE(TryAppend());
}

TEST_F(RedoLogTest, ThreadsShareFlushes) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        std::vector<std::byte> record(RedoLog::RecordOverhead() + 20);
        const auto sequence = log_->Append(&record);
        ASSERT_TRUE(sequence);
        ASSERT_TRUE(log_->SyncTo(*sequence));
        EXPECT_GE(log_->durable(), *sequence);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log_->durable(), 200u);
  EXPECT_LE(flushes_, 200);
}

// The possible states of the last record, and how far a replay then gets.
struct TornCase {
  const char* name;
  void (*tear)(File& file, uint64_t record_begin, uint64_t record_bytes);
};
void PrintTo(const TornCase& torn, std::ostream* out) { *out << torn.name; }

void Fill(File& file, uint64_t begin, uint64_t length, char fill) {
  ASSERT_TRUE(file.Write(begin, AsBytes(std::string(length, fill))));
}
void Flip(File& file, uint64_t offset) {
  std::byte byte[1];
  ASSERT_TRUE(file.Read(offset, byte));
  byte[0] ^= std::byte{0x40};
  ASSERT_TRUE(file.Write(offset, byte));
}

const TornCase kTorn[] = {
    {"CutInItsHeader",
     [](File& file, uint64_t begin, uint64_t bytes) { Fill(file, begin + 10, bytes - 10, '\0'); }},
    {"CutInItsPayload",
     [](File& file, uint64_t begin, uint64_t bytes) { Fill(file, begin + 60, bytes - 60, '\0'); }},
    {"LastByteMissing",
     [](File& file, uint64_t begin, uint64_t bytes) { Fill(file, begin + bytes - 1, 1, '\0'); }},
    {"AllZeros",
     [](File& file, uint64_t begin, uint64_t bytes) { Fill(file, begin, bytes, '\0'); }},
    {"Noise", [](File& file, uint64_t begin, uint64_t bytes) { Fill(file, begin, bytes, '\xff'); }},
    {"FlippedChecksum", [](File& file, uint64_t begin, uint64_t) { Flip(file, begin); }},
    {"FlippedLength", [](File& file, uint64_t begin, uint64_t) { Flip(file, begin + 8); }},
    {"FlippedHighLength", [](File& file, uint64_t begin, uint64_t) { Flip(file, begin + 11); }},
    {"FlippedZeros", [](File& file, uint64_t begin, uint64_t) { Flip(file, begin + 13); }},
    {"FlippedSequence", [](File& file, uint64_t begin, uint64_t) { Flip(file, begin + 16); }},
    {"FlippedPayload", [](File& file, uint64_t begin, uint64_t) { Flip(file, begin + 50); }},
};

class TornRecord : public RedoLogTest, public testing::WithParamInterface<TornCase> {
 protected:
  // Tears record `sequence` on a copy of the disk.
  uint64_t ReplayedWithTorn(uint64_t sequence) {
    auto image = Everything();
    uint64_t payload_begin = 0;
    const std::string path = FileWith(*image, Payload(sequence), &payload_begin);
    auto file = image->OpenFile(path).value();
    const uint64_t header = RedoLog::RecordOverhead();
    GetParam().tear(*file, payload_begin - header, header + Payload(sequence).size());
    return ReplayOf(*image, life_, 1);
  }
};

TEST_P(TornRecord, EndsTheReplayAtTheRecordBefore) {
  AppendMany(10);
  EXPECT_EQ(ReplayedWithTorn(10), 9u);
}

TEST_P(TornRecord, HidesWhatFollowsIt) {
  AppendMany(80);
  EXPECT_EQ(ReplayedWithTorn(4), 3u);
  EXPECT_EQ(ReplayedWithTorn(50), 49u);
}

INSTANTIATE_TEST_SUITE_P(Cases, TornRecord, testing::ValuesIn(kTorn),
                         [](const auto& torn) { return torn.param.name; });

TEST_F(RedoLogTest, RecordsOfARecycledSegmentAreNotReplayed) {
  AppendMany(100);
  const uint64_t newest = log_->Rotate().value();
  ASSERT_TRUE(log_->RecycleBefore(newest, 2));
  AppendMany(30);
  const uint64_t again = log_->Rotate().value();  // on a segment full of old records
  AppendMany(1);
  EXPECT_EQ(ReplayOf(*Everything(), newest, 101), 131u);
  EXPECT_EQ(ReplayOf(*Everything(), again, 131), 131u);
}

// Records up to 10 were appended; a recovery found only those up to 4, and began its own segment.
// The rest may reappear, with the same sequences as the new ones.
TEST_F(RedoLogTest, ALifeEndsThoseBeforeIt) {
  AppendMany(10);
  const uint64_t first = life_;
  log_.reset();
  NewLife(first, 5);
  AppendMany(3, 50);
  uint64_t next = 1;
  auto replayed = Load(*Everything())->Replay(first, 1, [&](const auto& record) -> Result<bool> {
    EXPECT_EQ(record.sequence, next);
    EXPECT_EQ(AsText(record.payload), Payload(next, next < 5 ? 100 : 50));
    ++next;
    return true;
  });
  EXPECT_TRUE(replayed);
  EXPECT_EQ(next, 8u);
}

TEST_F(RedoLogTest, ALifeWithoutRecordsEndsThoseBeforeItToo) {
  AppendMany(10);
  const uint64_t first = life_;
  log_.reset();
  NewLife(first, 5);
  EXPECT_EQ(ReplayOf(*Everything(), first, 1), 4u);
}

// One life found more records than the next one: the later one decides.
TEST_F(RedoLogTest, AShorterLifeEndsALongerOne) {
  AppendMany(10);
  const uint64_t first = life_;
  for (const uint64_t next : {9u, 3u, 6u}) {
    log_.reset();
    NewLife(first, next);
  }
  EXPECT_EQ(ReplayOf(*Everything(), first, 1), 2u)
      << "the life that began at 6 has nothing to go on from";
}

TEST_F(RedoLogTest, NeedsTheSegmentsBetween) {
  AppendMany(100);
  auto image = Everything();
  uint64_t offset = 0;
  ASSERT_TRUE(image->RemoveFile(FileWith(*image, Payload(40), &offset)));
  const uint64_t last = ReplayOf(*image, life_, 1);
  EXPECT_LT(last, 40u);
  EXPECT_GT(last, 0u);
}

TEST_F(RedoLogTest, RecyclingKeepsTheNumberOfFilesSmall) {
  for (int round = 0; round < 20; ++round) {
    AppendMany(40);
    const uint64_t newest = log_->Rotate().value();
    ASSERT_TRUE(log_->RecycleBefore(newest, 2));
    ASSERT_TRUE(log_->PrepareSpares(1));
  }
  EXPECT_LE(SegmentFiles(), 4u);
  EXPECT_EQ(log_->FileBytes(), SegmentFiles() * kSegmentBytes);
}

TEST_F(RedoLogTest, ALogThatIsOnlyReadStaysAsItIs) {
  AppendMany(5);
  auto image = Everything();
  ASSERT_TRUE(image->CreateFile("log/segment-77").value()->Write(0, AsBytes("KVFSLOG1")));
  const uint64_t before = image->OperationCount();
  auto log = Load(*image, Access::kReadOnly);
  uint64_t count = 0;
  EXPECT_TRUE(log->Replay(life_, 1, [&](const auto&) -> Result<bool> { return ++count > 0; }));
  EXPECT_EQ(count, 5u);
  EXPECT_EQ(image->OperationCount(), before);
}

TEST_F(RedoLogTest, SparesAreRemovedAtTheEnd) {
  AppendMany(200);
  log_->Suspend();
  ASSERT_TRUE(log_->RecycleBefore(log_->NextNumber(), 2));
  EXPECT_EQ(log_->FileBytes(), 2 * kSegmentBytes);
  EXPECT_EQ(SegmentFiles(), 2u);
}

// Each step requires the previous one; a call that comes too early does nothing, in any build.
TEST_F(RedoLogTest, WhatComesTooEarlyIsRefused) {
  AppendMany(5);
  const auto image = Everything();
  const uint64_t before = image->OperationCount();
  const auto is_refused = [](const auto& done) {
    return !done && done.error().code == ErrorCode::kInternal;
  };
  const auto nothing = [](const format::LogRecord&) -> Result<bool> { return false; };
  std::vector<std::byte> record(RedoLog::RecordOverhead() + 10);

  RedoLog log(image.get(), RedoLogConfig{"log", kStore, kSegmentBytes},
              [this]() -> Result<void> { return BeforeSync(); });
  EXPECT_TRUE(is_refused(log.Replay(life_, 1, nothing)));
  EXPECT_TRUE(is_refused(log.Start(life_, 6, 0)));
  ASSERT_TRUE(log.Open(Access::kReadWrite));
  EXPECT_TRUE(is_refused(log.Open(Access::kReadWrite)));
  EXPECT_TRUE(is_refused(log.Append(&record)));
  EXPECT_TRUE(is_refused(log.SyncTo(5)));
  EXPECT_TRUE(is_refused(log.Rotate()));
  EXPECT_TRUE(is_refused(log.PrepareSpares(3)));
  EXPECT_TRUE(is_refused(log.RecycleBefore(life_, 2)));
  EXPECT_TRUE(is_refused(log.Start(life_, 6, 6)));
  ASSERT_TRUE(log.Start(life_, 6, 0));
  EXPECT_TRUE(is_refused(log.Start(life_, 6, 0)));
  EXPECT_TRUE(is_refused(log.Replay(life_, 1, nothing)));
  EXPECT_TRUE(is_refused(log.ProvenDurable(life_)));
  EXPECT_TRUE(is_refused(log.SyncTo(6)));
  EXPECT_EQ(image->OperationCount(), before);
}

// A replayed segment is never appended to.
TEST_F(RedoLogTest, NothingIsAppendedWithoutASegmentOfItsOwn) {
  AppendMany(5);
  const auto image = Everything();
  const auto log = Load(*image);
  ASSERT_TRUE(log->Start(life_, 6, 0));
  const uint64_t before = image->OperationCount();
  std::vector<std::byte> record(RedoLog::RecordOverhead() + 10);
  EXPECT_FALSE(log->CanAppend());
  EXPECT_EQ(log->Append(&record).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(image->OperationCount(), before);
  ASSERT_TRUE(log->Rotate());
  EXPECT_EQ(log->Append(&record).value(), 6u);
  EXPECT_EQ(log->RecycleBefore(log->NextNumber(), 2).error().code, ErrorCode::kInternal);
  log->Suspend();
  EXPECT_EQ(log->Append(&record).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(log->appended(), 6u);
}

TEST_F(RedoLogTest, AFailedSyncIsFinal) {
  AppendMany(2);
  env_.InjectFault({.kind = OperationKind::kSync});
  EXPECT_EQ(log_->SyncTo(2).error().code, ErrorCode::kIo);
  EXPECT_EQ(log_->SyncTo(2).error().code, ErrorCode::kReadOnly) << "the next sync cannot heal it";
  EXPECT_EQ(TryAppend().error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(log_->Rotate().error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(log_->durable(), 0u);
}

// Even for data that a sync does not need: any flush reports the failure.
TEST_F(RedoLogTest, AFailedFlushOfWhatRecordsReferToIsFinal) {
  AppendMany(2);
  before_sync_ = Fail(ErrorCode::kIo, "the blocks");
  EXPECT_EQ(log_->SyncSegmentsFrom(life_).error().code, ErrorCode::kIo);
  EXPECT_EQ(log_->SyncSegmentsFrom(life_).error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(log_->SyncTo(2).error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(log_->Check().error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(log_->durable(), 0u);
}

// A directory whose sync has failed may lack the file, whatever later syncs of it return.
TEST_F(RedoLogTest, AFailedSyncOfTheDirectoryIsFinal) {
  env_.InjectFault({.kind = OperationKind::kSyncDirectory});
  EXPECT_EQ(log_->PrepareSpares(2).error().code, ErrorCode::kIo);
  EXPECT_EQ(log_->Rotate().error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(TryAppend().error().code, ErrorCode::kReadOnly);
}

TEST_F(RedoLogTest, ASpareThatCannotBeWarmedIsReplaced) {
  for (const OperationKind kind : {OperationKind::kWrite, OperationKind::kRead}) {
    const auto before = Names();
    env_.InjectFault({.kind = kind});
    ASSERT_TRUE(log_->WarmNext());
    EXPECT_EQ(env_.PendingFaults(), 0u);
    EXPECT_NE(Names(), before) << "another one";
    EXPECT_EQ(Names().size(), before.size());
    EXPECT_EQ(log_->FileBytes(), before.size() * kSegmentBytes);
  }
  ASSERT_TRUE(log_->Rotate());
  AppendMany(3);
  ASSERT_TRUE(log_->SyncTo(3));
  EXPECT_EQ(ReplayOf(*OnlySynced(), life_, 1), 3u);
}

TEST_F(RedoLogTest, ASpareThatLacksRoomStays) {
  const auto before = Names();
  env_.InjectFault({.kind = OperationKind::kWrite, .code = ErrorCode::kNoSpace});
  EXPECT_EQ(log_->WarmNext().error().code, ErrorCode::kNoSpace);
  env_.InjectFault({.kind = OperationKind::kWrite, .code = ErrorCode::kNoSpace});
  EXPECT_EQ(log_->Rotate().error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(log_->FileBytes(), before.size() * kSegmentBytes);
  AppendMany(3);
  ASSERT_TRUE(log_->Rotate());
  AppendMany(3);
  EXPECT_EQ(Replayed(), 6u);
}

// A file with a header that failed: if found later, it would end the segment in which the log
// continues.
TEST_F(RedoLogTest, ASegmentThatCannotBeBegunIsGone) {
  AppendMany(3);
  env_.InjectFault({.kind = OperationKind::kWrite});
  ASSERT_TRUE(log_->Rotate()) << "with another one";
  AppendMany(3);
  ASSERT_TRUE(log_->SyncTo(6));
  EXPECT_EQ(ReplayOf(*OnlySynced(), life_, 1), 6u);
  EXPECT_EQ(log_->FileBytes(), Names().size() * kSegmentBytes);
  // The spare fails, and so does the new segment made instead.
  ASSERT_TRUE(log_->PrepareSpares(1));
  env_.InjectFault({.kind = OperationKind::kWrite});
  env_.InjectFault({.kind = OperationKind::kWrite, .nth = 2});
  EXPECT_EQ(log_->Rotate().error().code, ErrorCode::kIo);
  AppendMany(3);
  ASSERT_TRUE(log_->SyncTo(9));
  EXPECT_EQ(ReplayOf(*OnlySynced(), life_, 1), 9u);
  EXPECT_EQ(log_->FileBytes(), Names().size() * kSegmentBytes);
}

TEST_F(RedoLogTest, AnAppendWithoutRoomToWriteOverLosesNothing) {
  AppendMany(2);
  env_.InjectFault(
      {.kind = OperationKind::kWrite, .code = ErrorCode::kNoSpace, .is_partial = true});
  EXPECT_EQ(TryAppend().error().code, ErrorCode::kNoSpace);
  AppendMany(2);
  EXPECT_EQ(Replayed(), 4u);
}

TEST_F(RedoLogTest, AFailedWriteIsFinal) {
  AppendMany(2);
  env_.InjectFault({.kind = OperationKind::kWrite, .is_partial = true});
  EXPECT_EQ(TryAppend().error().code, ErrorCode::kIo);
  EXPECT_EQ(TryAppend().error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(Replayed(), 2u);
}

TEST_F(RedoLogTest, WithoutRoomForASegmentNothingIsLost) {
  env_.SetCapacity(0);
  Result<void> appended;
  while (appended) appended = TryAppend();
  EXPECT_EQ(appended.error().code, ErrorCode::kNoSpace);
  const uint64_t before = log_->appended();
  env_.SetCapacity(1 << 20);
  EXPECT_TRUE(TryAppend());
  EXPECT_EQ(log_->appended(), before + 1);
}

TEST_F(RedoLogTest, SegmentsOfAnotherStoreAreSpares) {
  AppendMany(5);
  RedoLog other(&env_, {"log", {std::byte{8}}, kSegmentBytes}, [] { return Result<void>(); });
  ASSERT_TRUE(other.Open(Access::kReadWrite));
  ASSERT_TRUE(other.Replay(life_, 1, [](const format::LogRecord&) -> Result<bool> {
    ADD_FAILURE() << "replayed";
    return true;
  }));
}

// As an interrupted creation leaves them.
TEST_F(RedoLogTest, SparesCutShortAreRemoved) {
  AppendMany(5);
  auto image = Everything();
  ASSERT_TRUE(image->CreateFile("log/segment-77").value()->Write(0, AsBytes("KVFSLOG1")));
  EXPECT_EQ(ReplayOf(*image, life_, 1), 5u);
  EXPECT_TRUE(image->Exists("log/segment-77").value()) << "before it is known that all is well";
  auto log = Load(*image);
  ASSERT_TRUE(log->Start(life_, 6, 5));
  EXPECT_FALSE(image->Exists("log/segment-77").value());
}

}  // namespace
}  // namespace kvfs
