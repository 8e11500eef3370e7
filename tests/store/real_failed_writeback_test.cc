// A disk whose writeback really fails: ext4 in a file on a file system that becomes full, like a
// thin pool. Confirms on Linux what the memory disk assumes about the page cache.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include <kvfs/env.h>
#include <kvfs/store.h>
#include "tests/store/soundness.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

// A small tmpfs, the pool, with a large sparse image of a file system in it, in a private mount
// namespace. Only root may mount the image: for other users the disk is a tmpfs, whose writeback
// never fails, and which keeps everything.
class ThinDisk {
 public:
  ThinDisk() : pool_(directory_.path() + "/pool"), path_(directory_.path() + "/disk") {
    if (unshare(is_root() ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return;
    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    mkdir(pool_.c_str(), 0700);
    mkdir(path_.c_str(), 0700);
    if (mount("none", pool_.c_str(), "tmpfs", 0, "size=56M") != 0) return;
    is_ready_ = is_root() ? Format() && Mount()
                          : mount("none", path_.c_str(), "tmpfs", 0, "size=100M") == 0;
  }
  ~ThinDisk() {
    umount2(path_.c_str(), MNT_DETACH);
    umount2(pool_.c_str(), MNT_DETACH);
  }
  static bool is_root() { return geteuid() == 0; }
  bool is_ready() const { return is_ready_; }
  const std::string& path() const { return path_; }

  // The pool contains only what the disk uses; another file takes the rest.
  void FillPool() const {
    if (is_root()) {
      const int directory = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      fstrim_range all{0, ~uint64_t{0}, 0};
      EXPECT_EQ(ioctl(directory, FITRIM, &all), 0);
      close(directory);
    }
    std::ofstream filler(pool_ + "/filler");
    const std::string block(4096, 'f');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  void MakeRoom() const { std::filesystem::remove(pool_ + "/filler"); }
  // Drops the page cache.
  bool MountAnew() const { return !is_root() || (umount(path_.c_str()) == 0 && Mount()); }

 private:
  static bool Run(const std::string& command) { return std::system(command.c_str()) == 0; }
  std::string image() const { return pool_ + "/image"; }
  // Backs what mkfs leaves as holes, which includes the journal.
  bool Format() const {
    return Run("truncate -s 48M " + image() +
               " && /sbin/mkfs.ext4 -q -m 0 -J size=4 "
               "-E nodiscard,lazy_itable_init=0,lazy_journal_init=0 " +
               image() + " && fallocate -l 48M " + image());
  }
  bool Mount() const { return Run("mount -o loop " + image() + " " + path_); }

  TemporaryDirectory directory_;
  const std::string pool_;
  const std::string path_;
  bool is_ready_ = false;
};

// Runs it in a separate process, which then dies; false if it has reported an error.
bool InAProcess(const std::function<bool()>& run) {
  const pid_t child = fork();
  if (child == 0) _exit(run() ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Result<std::unique_ptr<Store>> OpenAt(const std::string& path) {
  OpenOptions options;
  options.idle_ms = 0;
  return Store::Open(GetPosixEnv(), path, options);
}

bool Complain(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return false;
}

constexpr int kKeys = 2'000;
std::string Name(int i) { return "new " + std::to_string(i); }
const std::string kValue(1'000, 'n');

// All keys, and a sync that fails: the segments of the records have space on the disk, but the disk
// has none in the pool.
bool PutOnTheFullDisk(const std::string& path) {
  auto store = OpenAt(path);
  if (!store) return false;
  for (int i = 0; i < kKeys; ++i) static_cast<void>((*store)->Put(Name(i), kValue));
  const bool is_synced = (*store)->Sync().has_value();
  static_cast<void>(store->release());
  return is_synced != ThinDisk::is_root();
}

// Syncs what it finds; `shown` receives the names.
bool ReopenAndSync(const std::string& path, const std::string& shown) {
  auto store = OpenAt(path);
  if (!store) return Complain(store.error());
  std::ofstream names(shown);
  for (int i = 0; i < kKeys; ++i) {
    if ((*store)->Get(Name(i)).has_value()) names << i << "\n";
  }
  auto done = (*store)->Put("after", "value");
  if (done) done = (*store)->Sync();
  static_cast<void>(store->release());
  return done ? true : Complain(done.error());
}

TEST(RealFailedWriteback, WhatAReopeningShowsAndSyncsIsOnTheDisk) {
  const ThinDisk disk;
  ASSERT_TRUE(disk.is_ready()) << "a file system in a file cannot be mounted here";
  const TemporaryDirectory elsewhere;
  const std::string path = disk.path() + "/store", shown = elsewhere.path() + "/shown";
  ASSERT_TRUE(Store::Create(GetPosixEnv(), path));
  ASSERT_TRUE(InAProcess([&] {
    auto store = OpenAt(path);
    return store && (*store)->Put("before", "value") && (*store)->Sync() && (*store)->Close();
  }));
  ::sync();
  disk.FillPool();
  ASSERT_TRUE(InAProcess([&] { return PutOnTheFullDisk(path); }))
      << "the disk was to fail, and to tell";
  disk.MakeRoom();
  ASSERT_TRUE(InAProcess([&] { return ReopenAndSync(path, shown); }));
  ASSERT_TRUE(disk.MountAnew());
  auto store = OpenAt(path);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_TRUE((*store)->Get("before").has_value());
  EXPECT_TRUE((*store)->Get("after").has_value());
  std::ifstream names(shown);
  for (int i = 0; names >> i;) {
    const auto got = (*store)->Get(Name(i));
    ASSERT_TRUE(got) << Name(i) << ": " << got.error().message;
    ASSERT_TRUE(*got == kValue) << Name(i);
  }
  ExpectSound(**store);
}

}  // namespace
}  // namespace kvfs
