// A real file whose system calls fail: which failures are final, and which are not. The definitions
// below replace the C library's, so that a test decides which call fails.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <kvfs/env.h>
#include "tests/support/temporary_directory.h"

namespace {

// The error of the next call; 0 if it is made.
std::function<int()> sync_failure;
std::atomic<int> write_failure = 0;
std::atomic<int> allocate_failure = 0;

bool Fails(int error) {
  errno = error;
  return error != 0;
}

}  // namespace

extern "C" {
int fdatasync(int descriptor) {
  if (sync_failure && Fails(sync_failure())) return -1;
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}
ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  if (Fails(write_failure.exchange(0))) return -1;
  return syscall(SYS_pwrite64, descriptor, data, size, offset);
}
ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t offset) {
  return pwrite(descriptor, data, size, offset);
}
int fallocate(int descriptor, int mode, off_t offset, off_t length) {
  if (Fails(allocate_failure.exchange(0))) return -1;
  return static_cast<int>(syscall(SYS_fallocate, descriptor, mode, offset, length));
}
int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
  return fallocate(descriptor, mode, offset, length);
}
}

namespace kvfs {
namespace {

class FailedCalls : public testing::Test {
 protected:
  FailedCalls() : path_(directory_.path() + "/file") {
    file_ = GetPosixEnv().CreateFile(path_).value();
    EXPECT_TRUE(file_->Allocate(0, 65536));
  }
  ~FailedCalls() override { sync_failure = nullptr; }

  Result<void> Write() { return file_->Write(0, AsBytes("bytes")); }
  void ExpectFinal() {
    EXPECT_TRUE(file_->IsSuspect());
    for (const auto& later : {Write(), file_->Sync(), file_->Allocate(0, 1), file_->Shorten(1),
                              file_->PunchHole(0, 1)}) {
      ASSERT_FALSE(later);
      EXPECT_EQ(later.error().code, ErrorCode::kIo);
    }
    std::byte byte{};
    EXPECT_TRUE(file_->Read(0, {&byte, 1})) << "reading goes on";
    file_ = GetPosixEnv().OpenFile(path_).value();
    EXPECT_TRUE(Write() && file_->Sync()) << "a file that is opened anew begins anew";
  }
  void ExpectNotFinal() {
    EXPECT_FALSE(file_->IsSuspect());
    EXPECT_TRUE(Write() && file_->Sync() && file_->Allocate(0, 1));
  }

  TemporaryDirectory directory_;
  const std::string path_;
  std::unique_ptr<File> file_;
};

// Even for lack of space: the disk had none during writeback, and the kernel has dropped the pages.
TEST_F(FailedCalls, AFailedSyncIsFinalWhateverTheReason) {
  for (const int number : {EIO, ENOSPC, EDQUOT, ENOMEM}) {
    SCOPED_TRACE(number);
    ASSERT_TRUE(Write());
    sync_failure = [number] { return number; };
    const auto synced = file_->Sync();
    sync_failure = nullptr;
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().code, ErrorCode::kIo);
    ExpectFinal();
  }
}

TEST_F(FailedCalls, AnInterruptedSyncIsRepeated) {
  int interruptions = 2;
  sync_failure = [&] { return interruptions-- > 0 ? EINTR : 0; };
  EXPECT_TRUE(file_->Sync());
  ExpectNotFinal();
}

TEST_F(FailedCalls, AWriteThatTheDiskFailsIsFinal) {
  for (const int number : {EIO, EROFS, ENXIO}) {
    write_failure = number;
    EXPECT_FALSE(Write());
    const std::string first = file_->Sync().error().message;
    EXPECT_NE(first.find("cannot write"), std::string::npos) << first;
    EXPECT_FALSE(file_->Sync());
    file_ = GetPosixEnv().OpenFile(path_).value();
  }
  allocate_failure = EIO;
  EXPECT_FALSE(file_->Allocate(0, 1));
  ExpectFinal();
}

TEST_F(FailedCalls, WantOfRoomOrMemoryIsNot) {
  for (const int number : {ENOSPC, EDQUOT, EFBIG, ENOMEM}) {
    SCOPED_TRACE(number);
    write_failure = number;
    EXPECT_FALSE(Write());
    ExpectNotFinal();
    allocate_failure = number;
    EXPECT_FALSE(file_->Allocate(0, 1));
    ExpectNotFinal();
  }
}

// The kernel reports the error to one of them; the other would take its silence for success.
TEST_F(FailedCalls, OfTwoSyncsAtOnceBothFail) {
  std::mutex mutex;
  std::condition_variable changed;
  int under_way = 0;
  bool is_told = false;
  sync_failure = [&] {
    std::unique_lock lock(mutex);
    ++under_way;
    changed.notify_all();
    // The second one, if it gets as far, returns only after the first has the error.
    changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return under_way == 2; });
    return std::exchange(is_told, true) ? 0 : EIO;
  };
  ASSERT_TRUE(Write());
  Result<void> one, other;
  std::thread beside([&] { other = file_->Sync(); });
  one = file_->Sync();
  beside.join();
  EXPECT_FALSE(one);
  EXPECT_FALSE(other);
}

// Writes through a mapping whose page the file system refuses.
class RefusedMappedWrites : public FailedCalls {
 protected:
  static constexpr uint64_t kBytes = 65536;
  RefusedMappedWrites() {
    file_->MapForWriting(kBytes);
    EXPECT_TRUE(Write());
    // Pages beyond the new end are refused.
    EXPECT_EQ(truncate(path_.c_str(), 4096), 0);
  }
  std::string BytesAt(uint64_t offset) {
    std::string bytes(5, '\0');
    EXPECT_TRUE(file_->Read(offset, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  }
};

TEST_F(RefusedMappedWrites, ReachTheFileByASystemCall) {
  EXPECT_FALSE(file_->IsSuspect());
  EXPECT_TRUE(file_->Write(8192, AsBytes("after")));
  EXPECT_TRUE(file_->IsSuspect());
  EXPECT_EQ(BytesAt(8192), "after");
  // Nothing is written to the page that has replaced the file's.
  EXPECT_TRUE(file_->Write(8200, AsBytes("again")));
  EXPECT_EQ(BytesAt(8200), "again");
  EXPECT_TRUE(file_->Sync());
}

TEST_F(RefusedMappedWrites, FailAsTheSystemCallDoes) {
  write_failure = ENOSPC;
  auto refused = file_->Write(8192, AsBytes("after"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE(file_->IsSuspect());
  EXPECT_TRUE(file_->Sync()) << "what was written before may still be made durable";
  EXPECT_TRUE(file_->Write(8192, AsBytes("after"))) << "there is room again";
  EXPECT_EQ(BytesAt(8192), "after");
}

}  // namespace
}  // namespace kvfs
