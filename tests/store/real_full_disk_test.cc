// A disk that is really full: a small file system in a file, mounted (P6). Confirms on ext4 and
// btrfs what fault_test's memory disk simulates for each failing allocation; btrfs needs new space
// to overwrite data.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>

#include <kvfs/env.h>
#include <kvfs/store.h>
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

// How to create a file system in a file: its size, and the command.
struct DiskKind {
  const char* size;
  const char* make;
};
constexpr DiskKind kExt4 = {"48M", "/sbin/mkfs.ext4 -q -m 0 "};
constexpr DiskKind kBtrfs = {"128M", "/sbin/mkfs.btrfs -q "};

// A small file system, mounted as long as this lives, in a private mount namespace: nothing is left
// behind, however the test ends. For root it is in a file; other users may not mount that, and get
// a tmpfs.
class SmallDisk {
 public:
  explicit SmallDisk(const DiskKind& kind)
      : image_(directory_.path() + "/image"), path_(directory_.path() + "/disk") {
    const bool is_root = geteuid() == 0;
    if (unshare(is_root ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return;
    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    mkdir(path_.c_str(), 0700);
    is_mounted_ =
        is_root ? MountImage(kind) : mount("none", path_.c_str(), "tmpfs", 0, "size=48M") == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool is_mounted() const { return is_mounted_; }
  const std::string& path() const { return path_; }

 private:
  bool MountImage(const DiskKind& kind) const {
    return Run("truncate -s " + std::string(kind.size) + " " + image_) &&
           Run(kind.make + image_ + " >/dev/null") && Run("mount -o loop " + image_ + " " + path_);
  }
  static bool Run(const std::string& command) { return std::system(command.c_str()) == 0; }

  TemporaryDirectory directory_;
  std::string image_;
  std::string path_;
  bool is_mounted_ = false;
};

class RealFullDiskTest : public testing::Test {
 protected:
  explicit RealFullDiskTest(const DiskKind& kind = kExt4) : disk_(kind) {}
  void SetUp() override {
    ASSERT_TRUE(disk_.is_mounted()) << "a file system in a file cannot be mounted here";
    ASSERT_TRUE(Store::Create(GetPosixEnv(), store_path(), SmallStore(2)));
    Open();
  }
  void TearDown() override { store_.reset(); }

  std::string store_path() const { return disk_.path() + "/store"; }
  void Open() {
    store_.reset();
    auto opened = Store::Open(GetPosixEnv(), store_path());
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  // Leaves so little space that the next growth of any file fails. Others write to the disk, too.
  void FillTheRest() {
    std::ofstream other(disk_.path() + "/other");
    const std::string block(4096, 'o');
    while (other.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }

  void MakeRoom() { unlink((disk_.path() + "/other").c_str()); }
  // Opens the store in a separate process, which is killed after `work`.
  void OpenAndDie(const std::function<void()>& work) {
    store_.reset();
    const pid_t child = fork();
    if (child == 0) {
      Open();
      if (!HasFailure()) work();
      if (!HasFailure()) kill(getpid(), SIGKILL);
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "what it expected did not hold";
  }

  static std::string Content(size_t index, size_t bytes) {
    return std::to_string(index) + std::string(bytes, static_cast<char>('a' + index % 26));
  }
  static std::string Name(size_t index) { return "name " + std::to_string(index); }
  // Returns how many fitted.
  size_t Fill(size_t bytes) {
    for (size_t count = 0;; ++count) {
      auto put = store_->Put(Name(count), Content(count, bytes));
      if (put) continue;
      EXPECT_EQ(put.error().code, ErrorCode::kNoSpace) << put.error().message;
      return count;
    }
  }
  void ExpectHolds(size_t begin, size_t end, size_t bytes) {
    for (size_t i = begin; i < end; ++i) {
      auto got = store_->Get(Name(i));
      ASSERT_TRUE(got) << i << ": " << got.error().message;
      ASSERT_TRUE(*got == Content(i, bytes)) << i;
    }
  }

  SmallDisk disk_;
  std::unique_ptr<Store> store_;
};

TEST_F(RealFullDiskTest, IsAnErrorThatLosesNothing) {
  for (const size_t bytes : {size_t{1'000}, size_t{50'000}}) {
    SCOPED_TRACE(std::to_string(bytes) + " bytes each");
    const size_t count = Fill(bytes);
    EXPECT_GT(count, 100u);
    ASSERT_TRUE(store_->Sync());
    ExpectHolds(0, count, bytes);
    ExpectSound(*store_);
    ASSERT_NO_FATAL_FAILURE(Open());
    ExpectHolds(0, count, bytes);
    for (size_t i = 0; i < count; ++i) ASSERT_TRUE(store_->Erase(Name(i))) << i << " of " << count;
    ASSERT_TRUE(store_->Checkpoint());
  }
}

TEST_F(RealFullDiskTest, WhatIsErasedMakesRoom) {
  const size_t count = Fill(20'000);
  for (size_t i = 0; i < count / 2; ++i) ASSERT_TRUE(store_->Erase(Name(i)));
  size_t again = 0;
  while (again < count && store_->Put("again " + std::to_string(again), Content(0, 20'000))) {
    ++again;
  }
  EXPECT_GT(again, count / 4);
  ExpectHolds(count / 2, count, 20'000);
}

// Another program takes the remaining space, to the last block.
TEST_F(RealFullDiskTest, ReadsAndDeletesGoOnWhereOthersFillIt) {
  for (size_t i = 0; i < 2'000; ++i) ASSERT_TRUE(store_->Put(Name(i), Content(i, 1'000)));
  ASSERT_TRUE(store_->Checkpoint());
  FillTheRest();
  for (size_t i = 0; i < 2'000; ++i) {
    ASSERT_TRUE(store_->Erase(Name(i))) << i;
    if (i % 500 == 0) ExpectHolds(i + 1, 2'000, 1'000);
  }
  ASSERT_TRUE(store_->Sync());
  ASSERT_NO_FATAL_FAILURE(Open());
  EXPECT_EQ(store_->GetStats().entries, 0u);
  ASSERT_TRUE(store_->Put("name", "there is room again"));
}

// The process dies, and another program fills the disk: opening, reading and deleting need no more
// space than the dead process had, in each of the following processes.
TEST_F(RealFullDiskTest, WhatADeadProcessLeftNeedsNoFreeBlock) {
  constexpr size_t kBytes = 6'000;  // a block that is in the log, and that a replay writes anew
  for (const size_t count : {size_t{4}, size_t{100}}) {
    SCOPED_TRACE(std::to_string(count) + " entries");
    ASSERT_NO_FATAL_FAILURE(OpenAndDie([&] {
      for (size_t i = 0; i < count; ++i) ASSERT_TRUE(store_->Put(Name(i), Content(i, kBytes)));
      ASSERT_TRUE(store_->Put("dead", std::string(600'000, 'd')) && store_->Erase("dead"));
      ASSERT_TRUE(store_->Sync());
    }));
    FillTheRest();
    for (int life = 0; life < 2; ++life) {
      ASSERT_NO_FATAL_FAILURE(OpenAndDie([&] { ExpectHolds(0, count, kBytes); }));
      FillTheRest();
    }
    ASSERT_NO_FATAL_FAILURE(Open());
    ExpectHolds(0, count, kBytes);
    for (size_t i = 0; i < count; ++i) ASSERT_TRUE(store_->Erase(Name(i))) << i;
    ASSERT_TRUE(store_->Sync());
    MakeRoom();
    for (size_t i = 0; i < count; ++i) ASSERT_TRUE(store_->Put(Name(i), Content(i, kBytes))) << i;
    ExpectSound(*store_);
    ASSERT_NO_FATAL_FAILURE(Open());
    ExpectHolds(0, count, kBytes);
  }
}

// An unlinked file that is open moves to another directory, possibly in another shard.
TEST_F(RealFullDiskTest, WhatMovesIntoAShardWithoutEntriesFindsRoom) {
  ASSERT_TRUE(store_->Put(Name(0), "the only one"));
  FillTheRest();
  for (size_t i = 0; i < 32; ++i) {
    const std::string from = Name(i);
    const std::string to = Name(i + 1);
    Batch batch;
    batch.Move({kRootDirectory, from}, {kRootDirectory, to});
    auto moved = store_->Apply(batch);
    ASSERT_TRUE(moved) << i << ": " << moved.error().message;
  }
  ASSERT_TRUE(store_->Sync());
  ASSERT_NO_FATAL_FAILURE(Open());
  EXPECT_EQ(*store_->Get(Name(32)), "the only one");
}

class FullBtrfsTest : public RealFullDiskTest {
 protected:
  FullBtrfsTest() : RealFullDiskTest(kBtrfs) {}
  // To the last block that btrfs provides: a write may succeed again once others have written to
  // the disk.
  void FillAllOfIt() {
    for (int i = 0; i < 3; ++i) {
      std::ofstream other(disk_.path() + "/other" + std::to_string(i));
      const std::string block(i == 0 ? 1 << 20 : 4096, 'o');
      while (other.write(block.data(), static_cast<std::streamsize>(block.size())).flush())
        continue;
      Sync();
    }
  }

 private:
  void Sync() const {
    const int root = open(disk_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    syncfs(root);
    close(root);
  }
};

// The kernel once hung in the page fault of a write to the log.
TEST_F(FullBtrfsTest, DeletesGoOn) {
  constexpr size_t kCount = 500;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < kCount; ++i) ASSERT_TRUE(store_->Put(Name(i), Content(i, 1'000)));
  }
  ASSERT_NO_FATAL_FAILURE(Open());
  FillAllOfIt();
  Result<void> put;
  for (size_t i = 0; i < 10 * kCount && put; ++i) {
    put = store_->Put(Name(i % kCount), Content(i, 1'000));
  }
  ASSERT_FALSE(put) << "the disk is not full";
  EXPECT_EQ(put.error().code, ErrorCode::kNoSpace) << put.error().message;
  for (size_t i = 0; i < kCount; ++i) {
    auto erased = store_->Erase(Name(i));
    ASSERT_TRUE(erased) << i << ": " << erased.error().message;
  }
  EXPECT_EQ(store_->GetStats().entries, 0u);
}

}  // namespace
}  // namespace kvfs
