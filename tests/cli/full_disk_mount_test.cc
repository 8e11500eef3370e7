// A mount that begins on a disk without a free byte, or without a free inode: what the daemon needs
// for its own working must be there all the same, or be told.
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "cli/lock_file.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class FullDiskMount : public StoreFixture {
 protected:
  ~FullDiskMount() override {
    RunKvfs({"unmount", mount_point()});
    ::umount2(disk().c_str(), MNT_DETACH);
  }
  // A disk of its own, with a store on it.
  void MakeDisk(const std::string& options) {
    stdfs::create_directory(disk());
    ASSERT_EQ(::mount("none", disk().c_str(), "tmpfs", 0, options.c_str()), 0);
    // With a word on disks that are in memory.
    ASSERT_EQ(RunKvfs({"create", full_store()}).status, 0);
    Run({"put", full_store(), "foo", "--", "bar"});
  }
  void Fill() {
    std::ofstream other(disk() + "/other");
    const std::string block(4096, 'o');
    while (other.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) continue;
  }
  void TakeInodes() {
    for (int i = 0; std::ofstream(disk() + "/file" + std::to_string(i)).is_open(); ++i) continue;
  }
  ProgramRun MountIt() { return RunKvfs({"mount", full_store(), mount_point()}); }
  void ExpectSaid(const ProgramRun& run, const std::string& words) {
    EXPECT_NE((run.out + run.err).find(words), std::string::npos)
        << words << " is not in: " << run.out << run.err;
  }
  // The daemon is told by name, and an unmount waits until it has let go.
  void ExpectToldAndAwaited() {
    const auto holder = ReadHolder(full_store());
    ASSERT_TRUE(holder);
    EXPECT_EQ(MountPointOf(*holder), mount_point());
    const std::string pid = std::to_string(holder->pid);
    ExpectSaid(RunKvfs({"status", full_store()}), "by process " + pid);
    ExpectSaid(RunKvfs({"dump", full_store() + "/lock"}), "pid " + pid);
    EXPECT_EQ(RunKvfs({"get", full_store(), "foo"}).out, "bar");
    const ProgramRun unmounted = RunKvfs({"unmount", mount_point()});
    EXPECT_EQ(unmounted.status, 0);
    EXPECT_EQ(unmounted.err, "");
    EXPECT_FALSE(IsHeld(full_store()));
    EXPECT_FALSE(stdfs::exists("/proc/" + pid + "/exe"));
  }

  std::string disk() const { return Path("disk"); }
  std::string full_store() const { return disk() + "/store"; }
};

TEST_F(FullDiskMount, SaysWhoHasTheStore) {
  MakeDisk("size=24M");
  Fill();
  ASSERT_EQ(MountIt().status, 0);
  ExpectToldAndAwaited();
}

TEST_F(FullDiskMount, SaysSoOfAnUnclosedStore) {
  MakeDisk("size=24M");
  ASSERT_EQ(MountIt().status, 0);
  Shell("echo two > two");
  const auto holder = ReadHolder(full_store());
  ASSERT_TRUE(holder);
  ASSERT_EQ(RunShell("kill -9 " + std::to_string(holder->pid)).status, 0);
  while (IsHeld(full_store())) continue;
  Fill();
  ASSERT_EQ(MountIt().status, 0);
  ExpectToldAndAwaited();
}

// The lock file of a program that kept no room in it.
TEST_F(FullDiskMount, KeepsRoomInAnOldStoreOnceItIsOpened) {
  MakeDisk("size=24M");
  stdfs::resize_file(full_store() + "/lock", 0);
  Run({"put", full_store(), "two", "2"});
  Fill();
  ASSERT_EQ(MountIt().status, 0);
  ExpectToldAndAwaited();
}

TEST_F(FullDiskMount, WithoutASocketServesItsFilesAndSaysSo) {
  MakeDisk("size=24M,nr_inodes=200");
  TakeInodes();
  const ProgramRun mounted = MountIt();
  EXPECT_EQ(mounted.status, 0);
  ExpectSaid(mounted, "no command reaches it, only the mount's files");
  Shell("grep bar foo");
  const ProgramRun got =
      RunShell("timeout 50 '" + ProgramPath() + "' get '" + full_store() + "' foo");
  EXPECT_EQ(got.status, 12);
  ExpectSaid(got, "takes no commands; use the files of the mount");
  EXPECT_EQ(RunKvfs({"unmount", mount_point()}).status, 0);
  EXPECT_EQ(RunKvfs({"get", full_store(), "foo"}).out, "bar");
}

TEST_F(FullDiskMount, ALogFileWithoutRoomIsAFullDisk) {
  MakeDisk("size=24M,nr_inodes=200");
  TakeInodes();
  const ProgramRun mounted =
      RunKvfs({"mount", "--log", disk() + "/log", full_store(), mount_point()});
  EXPECT_EQ(mounted.status, 9);
  ExpectSaid(mounted, disk() + "/log");
}

}  // namespace
}  // namespace kvfs::cli
