// A mapped page that the disk cannot deliver becomes zeros; any other SIGBUS has its usual effect.

#include "store/env/fault_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <kvfs/env.h>
#include "store/env/mapped_windows.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

constexpr uint64_t kPage = 4096;

class FaultGuard : public testing::Test {
 protected:
  FaultGuard() : file_(GetPosixEnv().CreateFile(path_).value()) {
    EXPECT_TRUE(file_->Write(0, AsBytes(std::string(4 * kPage, 'x'))).has_value());
    view_ = file_->View(0, 4 * kPage).value();
  }

  void CutFile(uint64_t size) const { std::filesystem::resize_file(path_, size); }

  char Read(uint64_t offset) const {
    return static_cast<char>(*(static_cast<const volatile std::byte*>(view_) + offset));
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/file";
  std::unique_ptr<File> file_;
  const std::byte* view_ = nullptr;
};

TEST_F(FaultGuard, PagesCutOffByOthersReadAsZerosAndAreCounted) {
  CutFile(2 * kPage);
  EXPECT_EQ(Read(kPage), 'x');
  EXPECT_EQ(file_->ViewFaults(), 0U);
  EXPECT_EQ(Read(2 * kPage), '\0');
  EXPECT_EQ(Read(2 * kPage + 1), '\0');
  EXPECT_EQ(Read(3 * kPage), '\0');
  EXPECT_EQ(file_->ViewFaults(), 2U);
}

TEST_F(FaultGuard, AWriteBringsThePageBack) {
  CutFile(2 * kPage);
  EXPECT_EQ(Read(3 * kPage), '\0');
  ASSERT_TRUE(file_->Write(3 * kPage, AsBytes("new")).has_value());
  EXPECT_EQ(Read(3 * kPage), 'n');
  EXPECT_EQ(Read(0), 'x');
}

TEST_F(FaultGuard, ThreadsThatFaultTogetherAllGoOn) {
  CutFile(0);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this] {
      for (uint64_t page = 0; page < 4; ++page) EXPECT_EQ(Read(page * kPage), '\0');
    });
  }
  threads.clear();
  EXPECT_GE(file_->ViewFaults(), 4U);
}

TEST_F(FaultGuard, ViewsOfOneFileAreNotThoseOfAnother) {
  const auto other = GetPosixEnv().CreateFile(directory_.path() + "/other").value();
  ASSERT_TRUE(other->Write(0, AsBytes("here")).has_value());
  const std::byte* other_view = other->View(0, 4).value();
  CutFile(0);
  EXPECT_EQ(Read(0), '\0');
  EXPECT_EQ(AsText({other_view, 4}), "here");
  EXPECT_EQ(other->ViewFaults(), 0U);
}

TEST_F(FaultGuard, BehindTheLastWindowNothingIsToBeShownAgain) {
  constexpr uint64_t kWindow = File::kLeastViewWindowBytes;
  constexpr uint64_t kEnd = MappedWindows::kGroups * MappedWindows::kGroupWindows * kWindow;
  MappedWindows windows(kWindow);
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  view_ = windows.At(0, descriptor, path_).value();
  CutFile(0);
  EXPECT_EQ(Read(0), '\0');
  EXPECT_EQ(windows.faults(), 1u);
  EXPECT_EQ(windows.At(kEnd, descriptor, path_).error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(windows.Restore(kEnd, 1, descriptor, path_));
  EXPECT_TRUE(windows.Restore(kEnd - 1, 2, descriptor, path_));
  ::close(descriptor);
}

using FaultGuardDeathTest = FaultGuard;

TEST_F(FaultGuardDeathTest, AFaultElsewhereStillEndsTheProcess) {
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  void* unguarded = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, descriptor, 0);
  ASSERT_NE(unguarded, MAP_FAILED);
  CutFile(0);
  view_ = static_cast<const std::byte*>(unguarded);
  EXPECT_DEATH(Read(0), "");
  ::munmap(unguarded, kPage);
  ::close(descriptor);
}

TEST_F(FaultGuardDeathTest, ASignalSentByHandStillEndsTheProcess) {
  EXPECT_DEATH(::raise(SIGBUS), "");
}

TEST_F(FaultGuardDeathTest, AClosedFilesViewsAreNoLongerGuarded) {
  const auto fault_after_close = [this] {
    file_.reset();
    // Probably where the window was; in any case it is unmapped.
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    void* unguarded = ::mmap(const_cast<std::byte*>(view_), kPage, PROT_READ,
                             MAP_SHARED | MAP_FIXED_NOREPLACE, descriptor, 0);
    if (unguarded == MAP_FAILED) std::abort();
    CutFile(0);
    Read(0);
    std::exit(0);
  };
  EXPECT_DEATH(fault_after_close(), "");
}

}  // namespace
}  // namespace kvfs
