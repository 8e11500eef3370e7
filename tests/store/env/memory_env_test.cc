// The faults of MemoryEnv: power failure, single failing operations, a disk that fills up.

#include "store/env/memory_env.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>

namespace kvfs {
namespace {

class MemoryFaults : public testing::Test {
 protected:
  MemoryFaults() { EXPECT_EQ(env_.OperationCount(), 1U); }

  Result<void> Write(uint64_t offset, uint64_t length, char fill = 'x') {
    return file_->Write(offset, AsBytes(std::string(length, fill)));
  }

  std::string Contents() const {
    std::string text(file_->SizeBytes().value(), '?');
    EXPECT_TRUE(file_->Read(0, std::as_writable_bytes(std::span(text))).has_value());
    return text;
  }

  template <typename T>
  static void ExpectFails(const Result<T>& result, ErrorCode code) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(static_cast<int>(result.error().code), static_cast<int>(code))
        << result.error().message;
  }

  MemoryEnv env_;
  std::unique_ptr<File> file_ = env_.CreateFile("file").value();
};

TEST_F(MemoryFaults, FromThePowerFailureOnNothingChanges) {
  env_.FailPowerAt(3);
  EXPECT_TRUE(Write(0, 1, 'a').has_value());
  EXPECT_FALSE(env_.HasPowerFailed());
  ExpectFails(Write(0, 1, 'b'), ErrorCode::kIo);
  EXPECT_TRUE(env_.HasPowerFailed());
  ExpectFails(Write(0, 1, 'c'), ErrorCode::kIo);
  ExpectFails(file_->Sync(), ErrorCode::kIo);
  ExpectFails(file_->Allocate(0, 1), ErrorCode::kIo);
  ExpectFails(file_->PunchHole(0, 1), ErrorCode::kIo);
  ExpectFails(env_.CreateFile("other"), ErrorCode::kIo);
  ExpectFails(env_.RemoveFile("file"), ErrorCode::kIo);
  ExpectFails(env_.RenameFile("file", "other"), ErrorCode::kIo);
  ExpectFails(env_.CreateDirectory("dir"), ErrorCode::kIo);
  ExpectFails(env_.SyncDirectory(""), ErrorCode::kIo);
  EXPECT_EQ(Contents(), "a");
  EXPECT_EQ(env_.OperationCount(), 3U);
}

TEST_F(MemoryFaults, TheLastWriteBeforeThePowerFailureMayBeHalfDone) {
  env_.FailPowerAt(2, /*is_partial=*/true);
  ExpectFails(Write(0, 2048), ErrorCode::kIo);
  EXPECT_EQ(Contents(), std::string(1024, 'x'));
}

TEST_F(MemoryFaults, TheDeadLeaveTheirNameInTheLock) {
  auto lock = env_.LockFile("lock", "holder").value();
  env_.FailPowerAt(env_.OperationCount() + 1);
  ExpectFails(Write(0, 1), ErrorCode::kIo);
  lock.reset();
  const auto image = env_.CrashImage({CrashChoice::Kind::kAll, 0});
  EXPECT_GT(image->OpenFile("lock").value()->SizeBytes().value(), 0U);
}

TEST_F(MemoryFaults, OneOperationFailsAndChangesNothing) {
  env_.InjectFault({.kind = OperationKind::kWrite, .path_contains = "fil", .nth = 2});
  EXPECT_TRUE(Write(0, 1, 'a').has_value());
  EXPECT_TRUE(file_->Sync().has_value());
  ExpectFails(Write(0, 1, 'b'), ErrorCode::kIo);
  EXPECT_EQ(Contents(), "a");
  EXPECT_EQ(env_.PendingFaults(), 0U);
  file_ = env_.OpenFile("file").value();
  EXPECT_TRUE(Write(0, 1, 'c').has_value());
  EXPECT_EQ(Contents(), "c");
}

TEST_F(MemoryFaults, AFailedSyncOrWriteOfAFileIsFinal) {
  for (const OperationKind kind : {OperationKind::kSync, OperationKind::kWrite}) {
    file_ = env_.OpenFile("file").value();
    env_.InjectFault({.kind = kind});
    const bool is_written = Write(0, 1).has_value();
    const auto synced = file_->Sync();
    ASSERT_FALSE(is_written && synced);
    EXPECT_TRUE(file_->IsSuspect());
    const std::string first = file_->Sync().error().message;
    EXPECT_NE(first.find("injected"), std::string::npos);
    for (const auto& again : {Write(0, 1), file_->Sync(), file_->Allocate(0, 1),
                              file_->PunchHole(0, 1), file_->Shorten(0)}) {
      ExpectFails(again, ErrorCode::kIo);
      EXPECT_EQ(again.error().message, first);
    }
    EXPECT_FALSE(env_.OpenFile("file").value()->IsSuspect());
  }
}

TEST_F(MemoryFaults, WantOfRoomIsNotFinalButForASync) {
  for (const OperationKind kind : {OperationKind::kWrite, OperationKind::kAllocate}) {
    env_.InjectFault({.kind = kind, .code = ErrorCode::kNoSpace});
    EXPECT_FALSE(Write(0, 1) && file_->Allocate(0, 1));
    EXPECT_FALSE(file_->IsSuspect());
    EXPECT_TRUE(Write(0, 1).has_value());
    EXPECT_TRUE(file_->Sync().has_value());
  }
  env_.InjectFault({.kind = OperationKind::kSync, .code = ErrorCode::kNoSpace});
  ExpectFails(file_->Sync(), ErrorCode::kIo);
  EXPECT_TRUE(file_->IsSuspect());
}

TEST_F(MemoryFaults, AFaultWaitsForItsKindAndPath) {
  env_.InjectFault({.kind = OperationKind::kSync, .path_contains = "other"});
  EXPECT_TRUE(Write(0, 1).has_value());
  EXPECT_TRUE(file_->Sync().has_value());
  EXPECT_EQ(env_.PendingFaults(), 1U);
}

TEST_F(MemoryFaults, AFailedSyncMakesNothingLast) {
  EXPECT_TRUE(env_.SyncDirectory("").has_value());
  EXPECT_TRUE(Write(0, 1).has_value());
  env_.InjectFault({.kind = OperationKind::kSync});
  ExpectFails(file_->Sync(), ErrorCode::kIo);
  const auto image = env_.CrashImage({CrashChoice::Kind::kNone, 0});
  EXPECT_EQ(image->OpenFile("file").value()->SizeBytes().value(), 0U);
}

TEST_F(MemoryFaults, AShortWriteLeavesItsFirstHalf) {
  env_.InjectFault({.code = ErrorCode::kNoSpace, .is_partial = true});
  ExpectFails(Write(0, 4096), ErrorCode::kNoSpace);
  EXPECT_EQ(Contents(), std::string(2048, 'x'));
}

TEST_F(MemoryFaults, AReadFailsOnlyWhenReadsAreMeant) {
  EXPECT_TRUE(Write(0, 1).has_value());
  env_.InjectFault({});
  EXPECT_TRUE(file_->View(0, 1).has_value());
  env_.InjectFault({.kind = OperationKind::kRead});
  ExpectFails(file_->View(0, 1), ErrorCode::kIo);
  EXPECT_TRUE(file_->View(0, 1).has_value());
}

TEST_F(MemoryFaults, AFullDiskRefusesWhatNeedsNewSpace) {
  env_.SetCapacity(8192);
  EXPECT_TRUE(Write(0, 4096).has_value());
  EXPECT_TRUE(file_->Allocate(4096, 4096).has_value());
  EXPECT_EQ(env_.GetDiskSpace("").value().available_bytes, 0U);
  ExpectFails(Write(8192, 1), ErrorCode::kNoSpace);
  ExpectFails(file_->Allocate(0, 8193), ErrorCode::kNoSpace);
  EXPECT_EQ(file_->SizeBytes().value(), 8192U);
  EXPECT_TRUE(Write(4096, 4096).has_value()) << "its space is allocated";
  EXPECT_TRUE(file_->PunchHole(0, 12288).has_value()) << "a hole needs none";
}

TEST_F(MemoryFaults, SpaceComesBackFromHolesAndRemovedFiles) {
  env_.SetCapacity(8192);
  const auto other = env_.CreateFile("other").value();
  EXPECT_TRUE(Write(0, 8192).has_value());
  ExpectFails(other->Allocate(0, 1), ErrorCode::kNoSpace);
  EXPECT_TRUE(file_->PunchHole(1, 8191).has_value());
  EXPECT_TRUE(other->Allocate(0, 1).has_value()) << "the second block is free";
  ExpectFails(other->Allocate(4096, 1), ErrorCode::kNoSpace);
  EXPECT_TRUE(env_.RemoveFile("file").has_value());
  EXPECT_TRUE(other->Allocate(4096, 1).has_value());
}

TEST_F(MemoryFaults, TheJournalNamesEveryChangeInOrder) {
  EXPECT_TRUE(Write(512, 100).has_value());
  EXPECT_TRUE(file_->Sync().has_value());
  EXPECT_TRUE(env_.RenameFile("/file", "./renamed").has_value());
  std::string lines;
  for (const auto& record : env_.Journal()) lines += DescribeOperation(record) + "\n";
  EXPECT_EQ(lines, "CreateFile file\nWrite file 512+100\nSync file\nRenameFile file to renamed\n");
}

using MemoryFaultsDeathTest = MemoryFaults;

TEST_F(MemoryFaultsDeathTest, AViewThatSpansChunksIsAMistakeInTheTest) {
  EXPECT_TRUE(Write(0, 2 * MemoryContent::kChunkBytes).has_value());
  EXPECT_DEATH(std::ignore = file_->View(MemoryContent::kChunkBytes - 1, 2), "must not span");
}

}  // namespace
}  // namespace kvfs
