// A mount's beginning and end, whoever brings it about.
#include "fs/fuse/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <future>
#include <thread>

#include "tests/fs/file_system_fixture.h"
#include "tests/fs/fuse/mounted_fixture.h"

namespace kvfs::fs {
namespace {

using testing::HasSubstr;

// Mounts that fail, over a file system in memory.
class FuseServerMount : public FileSystemFixture {
 protected:
  Error ExpectError(const std::string& mountpoint, std::vector<std::string> options = {}) {
    MountOptions mount;
    mount.source = "test";
    mount.control.clear();
    mount.kernel = std::move(options);
    const auto server = FuseServer::Mount(fs(), mountpoint, mount);
    EXPECT_FALSE(server);
    return server ? Error{} : server.error();
  }
};

TEST_F(FuseServerMount, NeedsAMountPoint) {
  const Error error = ExpectError("/does/not/exist");
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_EQ(error.message, "cannot mount at '/does/not/exist': No such file or directory");
}

TEST_F(FuseServerMount, NeedsADirectory) {
  EXPECT_EQ(ExpectError("/dev/null").code, ErrorCode::kNotDirectory);
}

TEST_F(FuseServerMount, NamesAnOptionThatNobodyKnows) {
  const TemporaryDirectory directory;
  const Error error = ExpectError(directory.path(), {"nonsense"});
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_NE(error.message.find("nonsense"), std::string::npos) << error.message;
}

class FuseServerLife : public MountedFixture {
 protected:
  bool IsMounted() { return Run("grep -c \" $M \" /proc/self/mounts || true") != "0\n"; }
};

TEST_F(FuseServerLife, ShowsItsTypeAndItsSource) {
  options_.source = "/a, strange\\path";
  SetUp();
  EXPECT_EQ(Run("findmnt -rn -o FSTYPE,SOURCE --target $M"),
            "fuse.kvfs /a,\\x20strange\\x5cpath\n");
}

TEST_F(FuseServerLife, IsUsableOnceReady) {
  EXPECT_TRUE(IsMounted());
  EXPECT_EQ(Run("ls -A $M; echo 1 > $M/f; cat $M/f"), "1\n");
}

TEST_F(FuseServerLife, ReservesNoName) {
  EXPECT_EQ(Run("cd $M; test ! -e .kvfs-first-open; echo 1 > .kvfs-first-open; cat .kvfs*"), "1\n");
  Run("rm $M/.kvfs-first-open");
  EXPECT_EQ(Run("ls -A $M"), "");
}

TEST_F(FuseServerLife, EndsWhenStopped) {
  mounted().Stop();
  EXPECT_TRUE(mounted().AwaitEnd());
  EXPECT_FALSE(IsMounted());
}

TEST_F(FuseServerLife, EndsWhenSomebodyUnmounts) {
  Run("umount $M");
  EXPECT_TRUE(mounted().AwaitEnd());
  EXPECT_FALSE(IsMounted());
}

TEST_F(FuseServerLife, EndsWhenStoppedThoughFilesAreOpen) {
  const int file = open(Path("f").c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_EQ(write(file, "value", 5), 5);
  mounted().Stop();
  EXPECT_TRUE(mounted().AwaitEnd());
  EXPECT_FALSE(IsMounted());
  char byte;
  EXPECT_EQ(pread(file, &byte, 1, 4000), -1);
  EXPECT_EQ(errno, ENOTCONN);
  close(file);
}

TEST_F(FuseServerLife, EndsWhenStoppedAfterALazyUnmountOfABusyMount) {
  const int file = open(Path("f").c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_EQ(umount2(Path("").c_str(), MNT_DETACH), 0);
  ASSERT_EQ(write(file, "value", 5), 5);
  mounted().Stop();
  EXPECT_TRUE(mounted().AwaitEnd());
  close(file);
}

TEST_F(FuseServerLife, KeepsWhatWasWrittenToAMappingWhenStopped) {
  Run("truncate -s 1M $M/f");
  const int file = open(Path("f").c_str(), O_RDWR);
  void* mapped = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  std::memcpy(static_cast<char*>(mapped) + 500'000, "value", 5);
  mounted().Remount();
  EXPECT_EQ(Run("tr -d '\\0' < $M/f"), "value");
  munmap(mapped, 1 << 20);
  close(file);
}

TEST_F(FuseServerLife, ServesWithAnyNumberOfThreads) {
  for (const int threads : {1, 2, 8}) {
    options_.threads = threads;
    SetUp();
    Run("seq 100 | xargs -P 4 -n 10 sh -c 'for i; do echo $i > $M/$i; done' _");
    EXPECT_EQ(Run("cat $M/* | wc -l"), "100\n");
  }
}

TEST_F(FuseServerLife, EachThreadHasADescriptorOfItsOwn) {
  options_.threads = 3;
  SetUp();
  Run("seq 100 | xargs -P 8 -n 5 sh -c 'for i; do echo $i > $M/$i; done' _");
  const std::string fds = "/proc/" + std::to_string(mounted().server()) + "/fd";
  EXPECT_GT(std::stoi(Run("ls -l " + fds + " | grep -c /dev/fuse")), 1);
}

TEST_F(FuseServerLife, ReadOnlyMountsRefuseChanges) {
  options_.read_only = true;
  SetUp();
  EXPECT_NE(RunAndFail("echo 1 > $M/f").find("Read-only"), std::string::npos);
}

TEST_F(FuseServerLife, TwoMountsLiveInOneProcess) {
  Mounted other;
  Run("echo 1 > $M/f");
  EXPECT_EQ(other.Run("ls -A $M; echo 2 > $M/f; cat $M/f").output, "2\n");
  EXPECT_EQ(Run("cat $M/f"), "1\n");
}

TEST_F(FuseServerLife, NothingIsReferencedAfterTheKernelForgot) {
  Run("mkdir $M/d; seq 500 | sed \"s|^|$M/d/|\" | xargs touch; rm -r $M/d");
  mounted().TakeMessages();
  EXPECT_EQ(mounted().CountReferencedInodes(), 0u);
}

// A mount over a disk in memory, which can be made to fail. Only processes of their own use it: the
// server is in this one.
class FuseServerDisk : public FileSystemFixture {
 protected:
  void SetUp() override {
    ASSERT_EQ(Mounted::Obstacle(), "") << "nothing can be mounted here";
    ASSERT_TRUE(fs().SetAttributes(kRootInode, {.uid = geteuid(), .gid = getegid()}, kRoot));
    MountOptions options;
    options.source = "test";
    options.control.clear();
    auto server = FuseServer::Mount(fs(), directory_.path(), options);
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    std::promise<void> ready;
    serving_ = std::thread([&] { EXPECT_TRUE(server_->Serve([&] { ready.set_value(); })); });
    ready.get_future().wait();
  }
  void TearDown() override { Unmount(); }

  // What its threads have left in memory can be looked at from then on.
  void Unmount() {
    if (!serving_.joinable()) return;
    server_->Stop();
    serving_.join();
    server_.reset();
  }

  // What a shell prints whose working directory is the mount.
  std::string Shell(const std::string& script) {
    FILE* const pipe =
        popen(("cd " + directory_.path() + "; exec 2>&1; LC_ALL=C; " + script).c_str(), "r");
    std::string output;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
    pclose(pipe);
    return output;
  }

 private:
  const TemporaryDirectory directory_;
  std::unique_ptr<FuseServer> server_;
  std::thread serving_;
};

TEST_F(FuseServerDisk, ThatFailsIsToldOfOnceAndTakesNoMoreChanges) {
  EXPECT_EQ(Shell("echo value > f; sync f"), "");
  disk().InjectFault({.nth = 1, .code = ErrorCode::kIo});
  EXPECT_THAT(Shell("echo more >> f"), HasSubstr("I/O error"));
  EXPECT_THAT(Shell("sync f"), HasSubstr("Read-only file system"));
  EXPECT_THAT(Shell("echo other > f"), HasSubstr("Read-only file system"));
  EXPECT_THAT(Shell("mkdir d"), HasSubstr("Read-only file system"));
  EXPECT_THAT(Shell("rm f"), HasSubstr("Read-only file system"));
  EXPECT_EQ(Shell("cat f"), "value\n");
  Unmount();
  EXPECT_EQ(log_lines().size(), 1u);
}

}  // namespace
}  // namespace kvfs::fs
