// A store under mount(8): types kvfs and fuse.kvfs, lines of /etc/fstab, and all of mount's options
// that no file system of its own has.

#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/lock_file.h"
#include "tests/cli/ordinary_user.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class MountProgram : public OrdinaryUser {
 protected:
  void SetUp() override {
    OrdinaryUser::SetUp();
    if (IsSkipped()) return;
    Install();
    Create();
  }

  // mount, with the store and the mount point behind the arguments.
  ProgramRun MountBy(const std::string& arguments) const {
    return RunShell("mount " + arguments + " '" + store() + "' '" + mount_point() + "'");
  }
  void ExpectMounting(const std::string& arguments) {
    const ProgramRun run = MountBy(arguments);
    EXPECT_EQ(run.status, 0) << arguments << ": " << run.err;
    EXPECT_EQ(run.err, "") << arguments;
  }
  // umount, and waits for the end of the daemon.
  void Umount() {
    const ProgramRun run = RunShell("umount '" + mount_point() + "'");
    EXPECT_EQ(run.status, 0) << run.err;
    while (IsHeld(store())) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(stdfs::file_size(store() + "/lock"), 0u);
  }
  std::string Found(const std::string& column) const {
    return RunShell("findmnt -no " + column + " '" + mount_point() + "'").out;
  }
  void ExpectRefusedMount(const std::string& arguments, int status, const std::string& named) {
    const ProgramRun run = MountBy(arguments);
    EXPECT_EQ(run.status, status) << arguments << ": " << run.err;
    EXPECT_NE(run.err.find(named), std::string::npos) << named << " is not in: " << run.err;
    ExpectMounted(false);
    EXPECT_FALSE(IsHeld(store()));
  }
};

TEST_F(MountProgram, MountsTheTypeKvfs) {
  ExpectMounting("-t kvfs");
  EXPECT_EQ(Found("FSTYPE,SOURCE"), "fuse.kvfs " + store() + "\n");
  Shell("echo bar > foo");
  Umount();
  ExpectValue("foo", "bar\n");
}

TEST_F(MountProgram, MountsTheTypeFuseKvfs) {
  ExpectMounting("-t fuse.kvfs -o ro,noatime");
  EXPECT_EQ(Found("FSTYPE"), "fuse.kvfs\n");
  EXPECT_NE(RunShell("touch '" + mount_point() + "/foo'").status, 0);
  Umount();
}

TEST_F(MountProgram, MountsWhatFstabSays) {
  const std::string fstab = directory() + "/fstab";
  std::ofstream(fstab)
      << store() << " " << mount_point()
      << " kvfs nofail,_netdev,noexec,umask=022,x-systemd.requires-mounts-for=/tmp "
         "0 0\n";
  EXPECT_EQ(RunShell("mount -a -T '" + fstab + "'").err, "");
  ExpectMounted(true);
  EXPECT_NE(Found("OPTIONS").find("noexec"), std::string::npos);
  EXPECT_EQ(RunShell("mount -a -T '" + fstab + "'").status, 0) << "what is mounted is left";
  Umount();
  EXPECT_EQ(RunShell("mount -T '" + fstab + "' '" + mount_point() + "'").status, 0);
  Umount();
}

TEST_F(MountProgram, FstabLetsAnOrdinaryUserMount) {
  As("$K create store && mkdir mnt && echo 1 | $K put store foo");
  Replace("/etc/fstab", home() + "/store " + home() + "/mnt kvfs user,noauto 0 0\n");
  const ProgramRun mounted = As("mount $PWD/mnt && cat mnt/foo");
  EXPECT_EQ(mounted.out, "1\n") << mounted.err;
  const ProgramRun unmounted = As("umount $PWD/mnt");
  EXPECT_EQ(unmounted.status, 0) << unmounted.err;
}

// The options of mount(8) that every file system is to take.
TEST_F(MountProgram, TakesEachOptionThatItCanKeep) {
  for (const char* option : {"async",
                             "atime",
                             "noatime",
                             "auto",
                             "noauto",
                             "defaults",
                             "dev",
                             "nodev",
                             "diratime",
                             "nodiratime",
                             "dirsync",
                             "exec",
                             "noexec",
                             "group",
                             "iversion",
                             "noiversion",
                             "nomand",
                             "_netdev",
                             "nofail",
                             "relatime",
                             "norelatime",
                             "lazytime",
                             "nolazytime",
                             "suid",
                             "nosuid",
                             "silent",
                             "loud",
                             "owner",
                             "ro",
                             "rw",
                             "sync",
                             "user",
                             "nouser",
                             "users",
                             "x-foo.bar=1",
                             "X-foo.bar=1",
                             "nostrictatime",
                             "X-mount.mkdir=0700",
                             "comment=mine"}) {
    ExpectMounting(std::string("-t kvfs -o ") + option);
    Umount();
  }
}

TEST_F(MountProgram, RefusesEachOptionThatItCannotKeep) {
  ExpectRefusedMount("-t kvfs -o strictatime", 1, "strictatime: reading never changes");
  ExpectRefusedMount("-t kvfs -o mand", 1, "mand: the kernel has no mandatory locks");
  ExpectRefusedMount("-t kvfs -o nosymfollow", 1, "remount,bind,nosymfollow");
  ExpectRefusedMount("-t kvfs -o frobnicate", 1, "unknown mount option frobnicate");
  ExpectRefusedMount("-t kvfs -o uid=me@home", 1, "uid=me@home");
  ExpectRefusedMount("-t fuse.kvfs -o frobnicate", 1, "unknown mount option frobnicate");
}

TEST_F(MountProgram, PassesOverTheUnknownIfAsked) {
  ExpectMounting("-s -t kvfs -o frobnicate,ro");
  EXPECT_EQ(Found("OPTIONS").rfind("ro,", 0), 0u);
  Umount();
}

TEST_F(MountProgram, PretendsIfAsked) {
  ExpectMounting("-f -t kvfs");
  ExpectMounted(false);
}

TEST_F(MountProgram, RemountingIsRefusedAndTheMountStays) {
  ExpectMounting("-t kvfs");
  const ProgramRun run =
      RunShell("mount -t kvfs -o remount,ro '" + store() + "' '" + mount_point() + "'");
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.err.find("unmount it and mount it again"), std::string::npos) << run.err;
  Shell("echo bar > foo");
  ASSERT_EQ(RunShell("mount -o remount,bind,ro '" + mount_point() + "'").status, 0);
  EXPECT_NE(RunShell("echo x > '" + mount_point() + "/foo'").status, 0);
  Umount();
  ExpectValue("foo", "bar\n");
}

TEST_F(MountProgram, SaysWhyThereIsNoMount) {
  const ProgramRun missing =
      RunShell("mount -t kvfs '" + directory() + "/absent' '" + mount_point() + "'");
  EXPECT_EQ(missing.status, 32);
  EXPECT_NE(missing.err.find("mount.kvfs: no store at " + directory() + "/absent"),
            std::string::npos)
      << missing.err;
}

TEST_F(MountProgram, FsckLooksAtAStore) {
  EXPECT_EQ(RunShell("/sbin/fsck -t kvfs '" + store() + "'").status, 0);
}

}  // namespace
}  // namespace kvfs::cli
