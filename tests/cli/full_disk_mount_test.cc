// A mount that begins on a disk without a free byte, or without a free inode: what the daemon
// itself needs must work nevertheless, or its absence be reported.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/mounts/lock_file.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

bool LeaveMountNamespace() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

class FullDiskMount : public StoreFixture {
 protected:
  ~FullDiskMount() override {
    RunKvfs({"unmount", mount_point()});
    ::umount2(disk().c_str(), MNT_DETACH);
    if (is_run_covered_) ::umount2("/run", MNT_DETACH);
  }
  // Mounts another /run, for the rest of the test.
  void CoverRun(unsigned long flags) {
    static const bool has_left = LeaveMountNamespace();
    ASSERT_TRUE(has_left);
    is_run_covered_ = ::mount("none", "/run", "tmpfs", flags, "mode=755") == 0;
    ASSERT_TRUE(is_run_covered_);
  }
  // A separate disk, with a store on it.
  void MakeDisk(const std::string& options) {
    stdfs::create_directory(disk());
    ASSERT_EQ(::mount("none", disk().c_str(), "tmpfs", 0, options.c_str()), 0);
    // There is a warning about disks in memory.
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
  // The daemon is identified by name, and an unmount waits until it has released the store.
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

 private:
  bool is_run_covered_ = false;
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

// Thousands of single steps, and then a tree in large steps: each finds the space it needs, since
// earlier ones have freed some. A tmpfs does not report which blocks have space already.
TEST_F(FullDiskMount, DeletesGoOn) {
  MakeDisk("size=24M");
  Shell("mkdir '" + Path("src") + "' '" + Path("src") + "/t' '" + Path("src") +
        "/u' && python3 -c '\nimport sys\nfor i in range(9000): open(\"" + Path("src") +
        "/\" + \"tu\"[i % 2] + \"/%d\" % i, \"w\").write(\"x\" * 900)'");
  Run({"import", Path("src"), full_store()});
  Fill();
  const ProgramRun singly =
      RunShell("'" + ProgramPath() + "' ls '" + full_store() + "' t | sed 's,^,t/,' | xargs '" +
               ProgramPath() + "' del '" + full_store() + "'");
  EXPECT_EQ(singly.status, 0);
  EXPECT_EQ(singly.err, "");
  Fill();
  Run({"del", "-r", full_store(), "t", "u"});
  EXPECT_EQ(RunKvfs({"ls", full_store()}).out, "foo\n");
}

// The lock file of an older program, which reserved no space in it.
TEST_F(FullDiskMount, KeepsRoomInAnOldStoreOnceItIsOpened) {
  MakeDisk("size=24M");
  stdfs::resize_file(full_store() + "/lock", 0);
  Run({"put", full_store(), "two", "2"});
  Fill();
  ASSERT_EQ(MountIt().status, 0);
  ExpectToldAndAwaited();
}

TEST_F(FullDiskMount, WithoutASocketServesItsFilesAndSaysSo) {
  CoverRun(MS_RDONLY);
  MakeDisk("size=24M,nr_inodes=200");
  TakeInodes();
  const ProgramRun mounted = MountIt();
  EXPECT_EQ(mounted.status, 0);
  ExpectSaid(mounted, "no command reaches it, only the mount's files");
  Shell("grep bar foo");
  const ProgramRun got =
      RunShell("timeout 50 '" + ProgramPath() + "' get '" + full_store() + "' foo");
  EXPECT_EQ(got.status, 12);
  ExpectSaid(got, "accepts no commands; use the files of the mount");
  EXPECT_EQ(RunKvfs({"unmount", mount_point()}).status, 0);
  EXPECT_EQ(RunKvfs({"get", full_store(), "foo"}).out, "bar");
}

// A store without space for a socket, and a directory for sockets elsewhere.
class SocketElsewhere : public FullDiskMount {
 protected:
  void SetUp() override {
    stdfs::create_directory(runtime());
    stdfs::permissions(runtime(), stdfs::perms::owner_all);
    ASSERT_EQ(::setenv("XDG_RUNTIME_DIR", runtime().c_str(), 1), 0);
    CoverRun(MS_RDONLY);
    MakeDisk("size=24M,nr_inodes=200");
    TakeInodes();
  }
  ~SocketElsewhere() override { ::unsetenv("XDG_RUNTIME_DIR"); }

  std::string runtime() const { return Path("runtime"); }
};

TEST_F(SocketElsewhere, CommandsReachTheDaemonAllTheSame) {
  Run({"mount", full_store(), mount_point()});
  EXPECT_FALSE(stdfs::exists(full_store() + "/socket"));
  EXPECT_EQ(Output({"get", full_store(), "foo"}), "bar");
  Run({"put", full_store(), "foo", "--", "other"});
  Shell("grep other foo");
  EXPECT_EQ(Output({"get", mount_point(), "foo"}), "other");
  EXPECT_NE(Output({"check", full_store()}).find(": sound: "), std::string::npos);
  Run({"unmount", mount_point()});
  EXPECT_EQ(RunShell("ls -A '" + runtime() + "/kvfs'").out, "");
}

TEST_F(FullDiskMount, OfRootTheSocketIsInRun) {
  CoverRun(0);
  MakeDisk("size=24M,nr_inodes=200");
  TakeInodes();
  Run({"mount", full_store(), mount_point()});
  EXPECT_EQ(Output({"get", full_store(), "foo"}), "bar");
  EXPECT_EQ(RunShell("stat -c %a /run/kvfs /run/kvfs/*").out, "700\n600\n");
  Run({"unmount", mount_point()});
  EXPECT_EQ(RunShell("ls -A /run/kvfs").out, "");
}

TEST_F(SocketElsewhere, WhatAKilledDaemonLeftThereIsReplaced) {
  Run({"mount", full_store(), mount_point()});
  const auto holder = ReadHolder(full_store());
  ASSERT_TRUE(holder);
  ASSERT_EQ(RunShell("kill -9 " + std::to_string(holder->pid)).status, 0);
  while (IsHeld(full_store())) continue;
  EXPECT_EQ(RunKvfs({"get", full_store(), "foo"}).out, "bar");
  ASSERT_EQ(MountIt().status, 0);
  Run({"put", full_store(), "foo", "--", "other"});
  Shell("grep other foo");
}

TEST_F(SocketElsewhere, ALinkOrADirectoryForAllIsNotUsed) {
  const std::string own = runtime() + "/kvfs";
  const std::string other = Path("other");
  stdfs::create_directory(other);
  for (const std::string& make :
       {"ln -s '" + other + "' '" + own + "'", "mkdir -m 777 '" + own + "'",
        "mkdir -m 770 '" + own + "'", "touch '" + own + "'"}) {
    ASSERT_EQ(RunShell(make).status, 0);
    const ProgramRun mounted = MountIt();
    EXPECT_EQ(mounted.status, 0) << make;
    ExpectSaid(mounted, "no command reaches it, only the mount's files");
    EXPECT_EQ(RunShell("ls -A '" + other + "'").out, "");
    Run({"unmount", mount_point()});
    ASSERT_EQ(RunShell("rm -r '" + own + "'").status, 0);
  }
}

// A daemon's socket is never used for another store, whatever its name.
TEST_F(SocketElsewhere, OnlyWhoHasTheStoreIsSpokenTo) {
  Run({"mount", full_store(), mount_point()});
  Run({"create", Path("second")});
  Run({"put", Path("second"), "foo", "--", "mine"});
  stdfs::create_directory(Path("place"));
  Run({"mount", Path("second"), Path("place")});
  const std::string theirs = stdfs::directory_iterator(runtime() + "/kvfs")->path();
  struct stat status {};
  ASSERT_EQ(::stat(Path("second").c_str(), &status), 0);
  char name[64];
  std::snprintf(name, sizeof name, "/store-%lx-%lx", static_cast<unsigned long>(status.st_dev),
                static_cast<unsigned long>(status.st_ino));
  stdfs::create_hard_link(theirs, runtime() + "/kvfs" + name);
  stdfs::remove(theirs);
  stdfs::remove(Path("second") + "/socket");
  const ProgramRun got =
      RunShell("timeout 50 '" + ProgramPath() + "' get '" + Path("second") + "' foo");
  EXPECT_EQ(got.status, 12) << got.out;
  ExpectSaid(got, "accepts no commands");
  EXPECT_EQ(RunKvfs({"unmount", Path("place")}).status, 0);
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
