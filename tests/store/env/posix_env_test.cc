// Properties of the real file system only: locks between processes, kinds of files, limits.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <kvfs/env.h>
#include "tests/support/sanitized.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

class PosixEnv : public testing::Test {
 protected:
  std::string At(const std::string& name) const { return directory_.path() + "/" + name; }

  // Runs `work` in a separate process, which then waits to be killed.
  template <typename Work>
  pid_t InAnotherProcess(Work work) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      work();
      [[maybe_unused]] const ssize_t told = ::write(pipe[1], "x", 1);
      while (true) ::pause();
    }
    ::close(pipe[1]);
    char done = 0;
    EXPECT_EQ(::read(pipe[0], &done, 1), 1);
    ::close(pipe[0]);
    return child;
  }

  static void Kill(pid_t child) {
    ::kill(child, SIGKILL);
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  }

  static std::string Text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Followed by zeros.
  static std::string LockText(const std::string& path) {
    const std::string whole = Text(path);
    return whole.substr(0, whole.find('\0'));
  }

  TemporaryDirectory directory_;
  Env& env_ = GetPosixEnv();
};

TEST_F(PosixEnv, ALockNamesTheProcessThatHoldsItAndEndsWithIt) {
  Result<std::unique_ptr<FileLock>> held = Fail(ErrorCode::kNotFound);
  const pid_t child = InAnotherProcess([&] { held = env_.LockFile(At("lock"), "mount /mnt/kv"); });
  const std::string text = "pid " + std::to_string(child) + "\nmount /mnt/kv\n";
  EXPECT_EQ(LockText(At("lock")), text);
  const auto refused = env_.LockFile(At("lock"), "second");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            At("lock") + " is in use by process " + std::to_string(child) + " (mount /mnt/kv)");
  Kill(child);
  EXPECT_EQ(LockText(At("lock")), text) << "a death leaves its mark";
  EXPECT_TRUE(env_.LockFile(At("lock"), "second").has_value());
}

// On a full disk there is still room for the holder's text, also for the next holder's.
TEST_F(PosixEnv, ALockFileKeepsItsBytes) {
  const auto kept_bytes = [&] {
    struct stat status {};
    EXPECT_EQ(::stat(At("lock").c_str(), &status), 0);
    return static_cast<uint64_t>(status.st_blocks) * 512;
  };
  for (int round = 0; round < 2; ++round) {
    const auto lock = env_.LockFile(At("lock"), std::string(4096, 'p')).value();
    EXPECT_GE(kept_bytes(), kLockFileBytes);
    ASSERT_TRUE(lock->Describe("short"));
    EXPECT_GE(kept_bytes(), kLockFileBytes);
  }
  EXPECT_EQ(LockText(At("lock")), "");
  EXPECT_GE(kept_bytes(), kLockFileBytes);
}

TEST_F(PosixEnv, AChildThatInheritsTheLockKeepsItWhenTheParentLetsGo) {
  auto lock = env_.LockFile(At("lock"), "parent").value();
  const pid_t child = InAnotherProcess([&] { std::ignore = lock->Describe("child"); });
  lock.reset();
  EXPECT_EQ(LockText(At("lock")), "pid " + std::to_string(child) + "\nchild\n");
  EXPECT_FALSE(env_.LockFile(At("lock"), "second").has_value());
  Kill(child);
}

// Some of the standard streams are closed as long as it lives.
class ClosedStreams {
 public:
  explicit ClosedStreams(int subset) {
    std::fflush(nullptr);
    for (int stream = 0; stream < 3; ++stream) {
      saved_[stream] = ::fcntl(stream, F_DUPFD_CLOEXEC, 3);
      if ((subset >> stream & 1) != 0) ::close(stream);
    }
  }
  ~ClosedStreams() {
    for (int stream = 0; stream < 3; ++stream) {
      ::dup2(saved_[stream], stream);
      ::close(saved_[stream]);
    }
  }
  static int Open() {
    int open = 0;
    for (int stream = 0; stream < 3; ++stream) {
      if (::fcntl(stream, F_GETFD) >= 0) open |= 1 << stream;
    }
    return open;
  }

 private:
  int saved_[3];
};

TEST_F(PosixEnv, NoFileGetsTheNumberOfAClosedStream) {
  for (int subset = 0; subset < 8; ++subset) {
    int open = 0;
    bool has_worked = true;
    const auto note = [&](const auto& result) {
      has_worked = has_worked && result.has_value();
      open |= ClosedStreams::Open();
    };
    {
      const ClosedStreams closed(subset);
      const auto created = env_.CreateFile(At("file"));
      note(created);
      const auto opened = env_.OpenFile(At("file"), Access::kReadOnly);
      note(opened);
      note(env_.ListDirectory(At(".")));
      note(env_.SyncDirectory(At(".")));
      const auto lock = env_.LockFile(At("lock"), "holder");
      note(lock);
      has_worked = has_worked && created && !(*created)->Residence().empty();
      note(env_.RemoveFile(At("file")));
    }
    EXPECT_TRUE(has_worked) << subset;
    EXPECT_EQ(open, 7 & ~subset) << subset;
  }
}

TEST_F(PosixEnv, OnlyRegularFilesAreOpened) {
  ASSERT_EQ(::mkfifo(At("fifo").c_str(), 0600), 0);
  const auto opened = env_.OpenFile(At("fifo"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kPermission);
  EXPECT_EQ(opened.error().message, "will not use " + At("fifo") + ": it is not a regular file");
}

// A tmpfs does not report extents.
TEST_F(PosixEnv, WhereTheSystemDoesNotTellWhatIsBackedItSaysSo) {
  struct statfs disk {};
  ASSERT_EQ(::statfs("/dev/shm", &disk), 0);
  ASSERT_EQ(disk.f_type, TMPFS_MAGIC) << "no tmpfs to try it on";
  const std::string path = "/dev/shm/kvfs-test-" + std::to_string(::getpid());
  auto file = env_.CreateFile(path);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE((*file)->Write(0, AsBytes("text")));
  const auto parts = (*file)->BackedParts(0, 4096);
  ASSERT_TRUE(env_.RemoveFile(path));
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, ErrorCode::kUnsupported);
}

// What a store's owner may put in the place of its files.
class EnteredDirectory : public PosixEnv {
 protected:
  void SetUp() override {
    ASSERT_TRUE(env_.CreateDirectory(At("store")).has_value());
    ASSERT_TRUE(env_.CreateDirectory(At("store/log")).has_value());
    inside_ = env_.Enter(At("store")).value();
    std::ofstream(At("victim")) << "precious";
  }

  template <typename T>
  void ExpectRefused(const Result<T>& result, const std::string& name) {
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_EQ(result.error().code, ErrorCode::kPermission) << result.error().message;
    EXPECT_NE(result.error().message.find("will not use " + At(name)), std::string::npos)
        << result.error().message;
  }
  void ExpectUnusable(const std::string& name) {
    ExpectRefused(inside_->OpenFile(At(name)), name);
    ExpectRefused(inside_->OpenFile(At(name), Access::kReadOnly), name);
    ExpectRefused(inside_->LockFile(At(name), "holder"), name);
    ExpectRefused(inside_->ShareLock(At(name)), name);
    EXPECT_FALSE(inside_->CreateFile(At(name)).has_value());
    EXPECT_EQ(Text(At("victim")), "precious");
  }

  std::unique_ptr<Env> inside_;
};

TEST_F(EnteredDirectory, WhatIsBelowAMissingDirectoryIsMissing) {
  EXPECT_EQ(inside_->OpenFile(At("store/absent/file")).error().code, ErrorCode::kNotFound);
  std::ofstream(At("store/file")) << "text";
  ExpectRefused(inside_->OpenFile(At("store/file/file")), "store/file");
}

TEST_F(EnteredDirectory, LinksAreNotFollowed) {
  for (const std::string name : {"store/lock", "store/log/segment-0"}) {
    ASSERT_EQ(::symlink(At("victim").c_str(), At(name).c_str()), 0);
    ExpectUnusable(name);
    ASSERT_EQ(::unlink(At(name).c_str()), 0);
    ASSERT_EQ(::symlink(At("absent").c_str(), At(name).c_str()), 0);
    ExpectUnusable(name);
    EXPECT_FALSE(env_.Exists(At("absent")).value());
    ASSERT_EQ(::unlink(At(name).c_str()), 0);
    ASSERT_EQ(::link(At("victim").c_str(), At(name).c_str()), 0);
    ExpectUnusable(name);
    ASSERT_EQ(::unlink(At(name).c_str()), 0);
    ASSERT_EQ(::mkfifo(At(name).c_str(), 0600), 0);
    ExpectUnusable(name);
    ASSERT_EQ(::mkdir(At("store/directory").c_str(), 0700), 0);
    ExpectUnusable("store/directory");
    ASSERT_EQ(::rmdir(At("store/directory").c_str()), 0);
  }
}

TEST_F(EnteredDirectory, NorInTheMiddleOfAPath) {
  ASSERT_TRUE(env_.CreateDirectory(At("other")).has_value());
  ASSERT_TRUE(env_.CreateFile(At("other/segment-0")).has_value());
  ASSERT_EQ(::rmdir(At("store/log").c_str()), 0);
  ASSERT_EQ(::symlink(At("other").c_str(), At("store/log").c_str()), 0);
  const std::string name = "store/log";
  ExpectRefused(inside_->OpenFile(At("store/log/segment-0")), name);
  ExpectRefused(inside_->CreateFile(At("store/log/segment-1")), name);
  ExpectRefused(inside_->RemoveFile(At("store/log/segment-0")), name);
  ExpectRefused(inside_->ListDirectory(At("store/log")), name);
  ExpectRefused(inside_->SyncDirectory(At("store/log")), name);
  EXPECT_TRUE(env_.Exists(At("other/segment-0")).value());
}

TEST_F(EnteredDirectory, ItStaysTheOneThatWasOpened) {
  ASSERT_TRUE(inside_->CreateFile(At("store/log/segment-0")).has_value());
  ASSERT_EQ(::rename(At("store").c_str(), At("moved").c_str()), 0);
  ASSERT_TRUE(env_.CreateDirectory(At("store")).has_value());
  EXPECT_TRUE(inside_->Exists(At("store/log/segment-0")).value());
  ASSERT_TRUE(inside_->CreateFile(At("store/file")).has_value());
  EXPECT_TRUE(env_.Exists(At("moved/file")).value());
  ASSERT_TRUE(inside_->RenameFile(At("store/file"), At("store/other")).has_value());
  ASSERT_TRUE(inside_->RemoveFile(At("store/other")).has_value());
  EXPECT_TRUE(inside_->SyncDirectory(At("store")).has_value());
  EXPECT_EQ(inside_->ListDirectory(At("store")).value(), std::vector<std::string>{"log"});
  EXPECT_TRUE(env_.ListDirectory(At("store")).value().empty());
}

// A child does not inherit the lock either, which would then outlive the process.
TEST_F(EnteredDirectory, NoChildGetsAFileOfTheStore) {
  const auto file = inside_->CreateFile(At("store/file"));
  const auto same = inside_->OpenFile(At("store/file"));
  const auto lock = inside_->LockFile(At("store/lock"), "test");
  ASSERT_TRUE(file.has_value() && same.has_value() && lock.has_value());
  ASSERT_TRUE(inside_->SyncDirectory(At("store")).has_value());
  ASSERT_TRUE((*file)->View(0, 0).has_value());
  size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (gone || !target.string().starts_with(directory_.path())) continue;
    const int flags = ::fcntl(std::stoi(entry.path().filename().string()), F_GETFD);
    EXPECT_NE(flags & FD_CLOEXEC, 0) << target;
    ++seen;
  }
  EXPECT_GE(seen, 4u);
}

TEST_F(EnteredDirectory, OneThatWasJustMadeIsNoLink) {
  ASSERT_EQ(::symlink(At("store").c_str(), At("link").c_str()), 0);
  EXPECT_TRUE(env_.Enter(At("link")).has_value());
  EXPECT_FALSE(env_.Enter(At("link"), /*is_new=*/true).has_value());
}

TEST_F(PosixEnv, FilesAndDirectoriesBelongToTheirOwnerOnly) {
  ASSERT_TRUE(env_.CreateFile(At("file")).has_value());
  ASSERT_TRUE(env_.CreateDirectory(At("dir")).has_value());
  struct stat status {};
  ASSERT_EQ(::stat(At("file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  ASSERT_EQ(::stat(At("dir").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(PosixEnv, AMessageNamesOperationPathAndReason) {
  const auto opened = env_.OpenFile(At("none"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().message, "cannot open " + At("none") + ": No such file or directory");
}

TEST_F(PosixEnv, AllocatedSpaceIsTakenAndPunchedSpaceGivenBack) {
  const auto file = env_.CreateFile(At("file")).value();
  const auto taken_bytes = [&] {
    struct stat status {};
    EXPECT_EQ(::stat(At("file").c_str(), &status), 0);
    return status.st_blocks * 512;
  };
  ASSERT_TRUE(file->Allocate(0, 1 << 20).has_value());
  EXPECT_GE(taken_bytes(), 1 << 20);
  ASSERT_TRUE(file->PunchHole(0, 1 << 20).has_value());
  EXPECT_LT(taken_bytes(), 1 << 20);
}

// Lowers the process's limit on file sizes, which simulates a disk without space.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

void ExpectAllocationFailsAndLeavesTheFile(File& file) {
  ASSERT_TRUE(file.Write(0, AsBytes("kept")).has_value());
  const auto allocated = [&] {
    const FileSizeLimit limit(1 << 20);
    return file.Allocate(0, 3 << 20);
  }();
  ASSERT_FALSE(allocated.has_value());
  EXPECT_EQ(allocated.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(file.SizeBytes().value(), 4U);
  EXPECT_TRUE(file.Allocate(0, 3 << 20).has_value());
  EXPECT_EQ(file.SizeBytes().value(), 3U << 20);
  EXPECT_EQ(AsText({file.View(0, 4).value(), 4}), "kept");
}

TEST_F(PosixEnv, EachChangeOfAFileThatCannotBeChangedIsAnError) {
  ASSERT_TRUE(env_.CreateFile(At("file")).value()->Write(0, std::vector<std::byte>(8192)));
  const auto file = env_.OpenFile(At("file"), Access::kReadOnly).value();
  EXPECT_FALSE(file->Write(0, std::vector<std::byte>(1)).has_value());
  EXPECT_FALSE(file->Allocate(0, 16384).has_value());
  EXPECT_FALSE(file->PunchHole(0, 4096).has_value());
  EXPECT_FALSE(file->Shorten(4096).has_value());
  EXPECT_EQ(file->SizeBytes().value(), 8192u);
}

TEST_F(PosixEnv, AFailedAllocationLeavesTheFileAsItWas) {
  ExpectAllocationFailsAndLeavesTheFile(*env_.CreateFile(At("file")).value());
}

// And it does not end the process, by SIGXFSZ.
TEST_F(PosixEnv, AWriteBeyondTheLimitOfFileSizesIsRefusedForWantOfSpace) {
  const auto file = env_.CreateFile(At("file")).value();
  const FileSizeLimit limit(1 << 20);
  EXPECT_EQ(file->Write(2 << 20, AsBytes("x")).error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE(file->Write(0, AsBytes("x")));
}

// The limits of the test's own process stay as they are. Returns 0 on success.
template <typename Work>
int InAProcessWithAddressSpace(uint64_t bytes, Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{bytes, bytes};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    work();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(PosixEnv, ViewsOfManyFilesFitIntoALimitedAddressSpace) {
  if (kIsSanitized) return;  // a sanitizer's own memory is terabytes of addresses
  const int status = InAProcessWithAddressSpace(uint64_t{300'000} << 10, [this] {
    std::vector<std::unique_ptr<File>> files;
    for (int i = 0; i < 512; ++i) {
      files.push_back(env_.CreateFile(At("file" + std::to_string(i))).value());
      const uint64_t far = 5 * files.back()->ViewWindowBytes();
      ASSERT_TRUE(files.back()->Write(far, AsBytes("far")));
      const auto view = files.back()->View(far, 3);
      ASSERT_TRUE(view) << view.error().message;
      EXPECT_EQ(AsText({*view, 3}), "far");
    }
  });
  EXPECT_EQ(status, 0);
}

TEST_F(PosixEnv, WantOfAddressSpaceIsNoFailureOfTheDisk) {
  if (kIsSanitized) return;
  const int status = InAProcessWithAddressSpace(uint64_t{300'000} << 10, [this] {
    const auto file = env_.CreateFile(At("file")).value();
    const uint64_t window = file->ViewWindowBytes();
    ASSERT_TRUE(file->Allocate(0, 1));
    ASSERT_TRUE(file->Write(uint64_t{1} << 30, AsBytes("x")));
    Result<void> viewed;
    for (uint64_t at = 0; viewed && at < uint64_t{1} << 30; at += window) {
      viewed = file->View(at, 1).map([](const std::byte*) {});
    }
    ASSERT_FALSE(viewed);
    EXPECT_EQ(viewed.error().code, ErrorCode::kUnavailable) << viewed.error().message;
  });
  EXPECT_EQ(status, 0);
}

// In a separate process, on a separate file system: mounts disappear with it.
class PosixEnvMount : public PosixEnv {
 protected:
  static constexpr int kNotAllowed = 77;

  // Returns the result of `work`: 0 if it passed, kNotAllowed if nothing could be mounted.
  template <typename Work>
  int OnFileSystem(const char* type, const char* options, Work work) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) RunOnFileSystem(type, options, work);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  // An exception must not lead the child into the tests that follow.
  template <typename Work>
  [[noreturn]] void RunOnFileSystem(const char* type, const char* options, Work work) noexcept {
    const bool is_mounted = EnterOwnMounts() &&
                            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                            ::mount("none", At("").c_str(), type, 0, options) == 0;
    if (!is_mounted) ::_exit(kNotAllowed);
    work();
    std::fflush(nullptr);
    ::_exit(HasFailure() ? 1 : 0);
  }

  // Root of its own user namespace, if the process is not root already.
  static bool EnterOwnMounts() {
    if (::unshare(CLONE_NEWNS) == 0) return true;
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1\n";
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1\n";
    return true;
  }
};

// ramfs has neither fallocate nor holes.
TEST_F(PosixEnvMount, WithoutFallocateZerosAreWritten) {
  const int result = OnFileSystem("ramfs", "", [this] {
    const auto file = env_.CreateFile(At("file")).value();
    ExpectAllocationFailsAndLeavesTheFile(*file);
    EXPECT_EQ(*file->View(2 << 20, 1).value(), std::byte{0});
    EXPECT_TRUE(file->PunchHole(0, 4096).has_value());
  });
  // An ordinary user needs a user namespace for this, which not every system permits.
  if (result == kNotAllowed) GTEST_SKIP() << "this system does not let us mount";
  EXPECT_EQ(result, 0);
}

TEST_F(PosixEnvMount, AFullDiskRefusesAllocationsAndWritesButNotLocks) {
  const int result = OnFileSystem("tmpfs", "size=64k", [this] {
    const auto file = env_.CreateFile(At("file")).value();
    EXPECT_EQ(file->Allocate(0, 1 << 20).error().code, ErrorCode::kNoSpace);
    EXPECT_EQ(file->SizeBytes().value(), 0U);
    EXPECT_TRUE(file->Allocate(0, 64 << 10).has_value());
    EXPECT_EQ(env_.GetDiskSpace(At("")).value().available_bytes, 0U);
    EXPECT_EQ(file->Write(64 << 10, AsBytes("x")).error().code, ErrorCode::kNoSpace);
    EXPECT_TRUE(file->Write(0, AsBytes("x")).has_value()) << "its space is allocated";
    EXPECT_TRUE(env_.LockFile(At("lock"), "holder").has_value());
  });
  // An ordinary user needs a user namespace for this, which not every system permits.
  if (result == kNotAllowed) GTEST_SKIP() << "this system does not let us mount";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace kvfs
