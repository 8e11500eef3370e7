// A store under mount(8): the types kvfs and fuse.kvfs, lines of /etc/fstab, and all
// file-system-independent mount options.

#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/mounts/lock_file.h"
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

  // Runs mount, with the store and the mount point appended to the arguments.
  ProgramRun MountBy(const std::string& arguments) const {
    return RunShell("mount " + arguments + " '" + store() + "' '" + mount_point() + "'");
  }
  void ExpectMounting(const std::string& arguments) {
    const ProgramRun run = MountBy(arguments);
    EXPECT_EQ(run.status, 0) << arguments << ": " << run.err;
    EXPECT_EQ(run.err, "") << arguments;
  }
  // Runs umount, and waits for the end of the daemon.
  void Umount() {
    const ProgramRun run = RunShell("umount '" + mount_point() + "'");
    EXPECT_EQ(run.status, 0) << run.err;
    while (IsHeld(store())) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_FALSE(ReadHolder(store()));
  }
  std::string Found(const std::string& column) const {
    return RunShell("findmnt -no " + column + " '" + mount_point() + "'").out;
  }
  bool Has(const std::string& option) const {
    const std::string options = Found("OPTIONS");
    return ("," + options.substr(0, options.find('\n')) + ",").find("," + option + ",") !=
           std::string::npos;
  }
  ProgramRun RemountBy(const std::string& options) const {
    return RunShell("mount -o remount," + options + " '" + mount_point() + "'");
  }
  void ExpectRemount(const std::string& options) {
    const ProgramRun run = RemountBy(options);
    EXPECT_EQ(run.status, 0) << options << ": " << run.err;
    EXPECT_EQ(run.err, "") << options;
  }
  void ExpectRefusedRemount(const std::string& options, int status, const std::string& named) {
    const std::string before = Found("OPTIONS");
    const ProgramRun run = RemountBy(options);
    EXPECT_EQ(run.status, status) << options << ": " << run.err;
    EXPECT_NE(run.err.find(named), std::string::npos) << named << " is not in: " << run.err;
    EXPECT_EQ(Found("OPTIONS"), before);
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

// mount(8) passes on only options that restrict.
TEST_F(MountProgram, DevicesAndSetuidProgramsWorkUnlessTakenAway) {
  ExpectMounting("-t kvfs");
  EXPECT_EQ(RunShell("mknod -m 666 '" + mount_point() + "/null' c 1 3 && echo x > '" +
                     mount_point() + "/null'")
                .err,
            "");
  Umount();
  ExpectMounting("-t fuse.kvfs -o dev,nosuid");
  EXPECT_EQ(Found("OPTIONS").rfind("rw,nosuid,relatime", 0), 0u) << Found("OPTIONS");
  Umount();
}

// The store's owner determines which of its files are devices, or setuid programs of root.
TEST_F(MountProgram, AStoreOfSomebodyElseHasNeitherUnlessTold) {
  ASSERT_EQ(RunShell("chown -R 65534:65534 '" + store() + "'").status, 0);
  for (const char* type : {"-t kvfs", "-t fuse.kvfs", "-t fuse.kvfs -o noatime"}) {
    ExpectMounting(type);
    EXPECT_TRUE(Has("nosuid") && Has("nodev")) << type << ": " << Found("OPTIONS");
    Umount();
  }
  // mount(8) does not pass on dev and suid.
  Run({"mount", "-o", "dev,suid", store(), mount_point()});
  EXPECT_FALSE(Has("nosuid") || Has("nodev")) << Found("OPTIONS");
  Umount();
}

// The options of mount(8) that every file system must accept.
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

TEST_F(MountProgram, ARemountForReadingOnlyEndsAllChangesUntilTheNext) {
  ExpectMounting("-t kvfs");
  Shell("echo bar > foo");
  ExpectRemount("ro");
  EXPECT_NE(RunShell("echo x > '" + mount_point() + "/foo'").status, 0);
  EXPECT_NE(RunShell("rm '" + mount_point() + "/foo'").status, 0);
  ExpectFailure({"put", store(), "foo", "x"}, 12, {"foo", "read-only"});
  Shell("grep -qx bar foo");
  ExpectRemount("rw");
  Shell("echo new > foo");
  Put("other", "x");
  Umount();
  ExpectValue("foo", "new\n");
}

TEST_F(MountProgram, ARemountChangesWhatTheKernelKeeps) {
  ExpectMounting("-t kvfs -o nodev,nosuid");
  for (const char* option : {"noexec", "noatime", "sync", "ro"}) {
    ExpectRemount(option);
    EXPECT_TRUE(Has(option)) << option;
  }
  EXPECT_TRUE(Has("nosuid") && Has("nodev") && Has("noexec")) << Found("OPTIONS");
  ExpectRemount("rw,suid,dev,exec,atime,async");
  for (const char* option : {"noexec", "noatime", "sync", "ro", "nosuid", "nodev"}) {
    EXPECT_FALSE(Has(option)) << option;
  }
  Umount();
}

TEST_F(MountProgram, ALineOfFstabServesForRemountsToo) {
  Replace("/etc/fstab", store() + " " + mount_point() +
                            " kvfs allow_other,umask=022,idle=500,fsname=kv,nofail,noexec 0 0\n");
  ASSERT_EQ(RunShell("mount '" + mount_point() + "'").err, "");
  ExpectRemount("ro");
  ExpectRemount("rw");
  ExpectRemount("defaults");
  EXPECT_TRUE(Has("noexec"));
  Umount();
}

TEST_F(MountProgram, ARemountOfTheTypeKvfsGoesTheSameWay) {
  ExpectMounting("-t kvfs");
  ExpectMounting("-t kvfs -o remount,ro");
  EXPECT_TRUE(Has("ro"));
  Umount();
}

TEST_F(MountProgram, WhatOnlyAnotherMountCanChangeIsRefusedAndTheMountStays) {
  ExpectMounting("-t kvfs -o idle=500");
  for (const std::string option : {"umask=077", "idle=7", "acl", "threads=3", "allow_other",
                                   "control=other", "fsname=kv", "dirsync"}) {
    ExpectRefusedRemount(option, 1, "mount option " + option.substr(0, option.find('=')));
  }
  ExpectRefusedRemount("frobnicate", 1, "unknown mount option frobnicate");
  Shell("echo bar > foo");
  Umount();
}

TEST_F(MountProgram, WhatIsMountedForReadingOnlyStaysSo) {
  ExpectMounting("-t kvfs -o ro");
  ExpectRefusedRemount("rw", 1, "was mounted for reading only");
  EXPECT_TRUE(Has("ro"));
  ExpectRemount("noexec,ro");
  Umount();
}

TEST_F(MountProgram, AFileThatIsOpenForWritingKeepsTheMountWritable) {
  ExpectMounting("-t kvfs");
  const ProgramRun run =
      RunShell("exec 5> '" + mount_point() + "/foo'; mount -t kvfs -o remount,ro '" + store() +
               "' '" + mount_point() + "'");
  EXPECT_EQ(run.status, 32) << run.err;
  EXPECT_NE(run.err.find("open for writing"), std::string::npos) << run.err;
  EXPECT_FALSE(Has("ro"));
  Umount();
}

TEST_F(MountProgram, WhereNothingIsMountedNothingIsRemounted) {
  ExpectRefusedMount("-t kvfs -o remount,ro", 32, "no store is mounted on " + mount_point());
}

TEST_F(MountProgram, AMountMayBeMadeReadOnlyByTheKernelAlone) {
  ExpectMounting("-t kvfs");
  ASSERT_EQ(RunShell("mount -o remount,bind,ro '" + mount_point() + "'").status, 0);
  EXPECT_NE(RunShell("echo x > '" + mount_point() + "/foo'").status, 0);
  ExpectFailure({"put", store(), "foo", "x"}, 12, {"read-only"});
  Umount();
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
