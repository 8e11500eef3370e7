// Users other than root: their own mounts through fusermount3, and what others see of a mount.

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "cli/mounts/lock_file.h"
#include "tests/cli/ordinary_user.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class Users : public OrdinaryUser {
 protected:
  void CreateAndMount(const std::string& options = "rw") {
    const ProgramRun run =
        As("$K create store && mkdir mnt && $K mount -o " + options + " store mnt");
    ASSERT_EQ(run.status, 0) << run.err;
  }
  // In the user's directory, as root.
  ProgramRun AsRoot(const std::string& command) const {
    return RunShell("cd '" + home() + "' && " + command);
  }
};

TEST_F(Users, CreateMountUseAndUnmountAsOrdinaryUsers) {
  CreateAndMount();
  EXPECT_EQ(As("echo bar > mnt/foo && mkdir mnt/d && mv mnt/foo mnt/d && cat mnt/d/foo").out,
            "bar\n");
  EXPECT_EQ(As("$K put store key value && cat mnt/key && $K ls store").out, "valued\nkey\n");
  EXPECT_EQ(As("stat -c %u:%g mnt mnt/key").out, "65534:65534\n65534:65534\n");
  const ProgramRun unmounted = As("$K unmount mnt");
  EXPECT_EQ(unmounted.status, 0) << unmounted.err;
  EXPECT_FALSE(IsHeld(home() + "/store"));
  EXPECT_EQ(As("$K get store d/foo; ls mnt").out, "bar\n");
}

TEST_F(Users, AMountIsItsUsersAlone) {
  CreateAndMount();
  EXPECT_NE(AsRoot("ls mnt").status, 0);
  // Root can access the daemon nevertheless.
  As("echo bar > mnt/foo");
  EXPECT_EQ(RunKvfs({"get", home() + "/store", "foo"}).out, "bar\n");
  EXPECT_EQ(As("umount mnt").status, 0);
}

TEST_F(Users, ARemountIsForRoot) {
  EXPECT_EQ(As("$K create store && mkdir mnt && $K mount store mnt").status, 0);
  ExpectRefused("$K mount -o remount,ro store mnt", 7, {"only root can"});
  EXPECT_EQ(As("echo 1 > mnt/foo && $K unmount mnt").status, 0);
}

TEST_F(Users, MountAgainAfterTheirDaemonWasKilled) {
  CreateAndMount();
  As("echo bar > mnt/foo");
  const auto holder = ReadHolder(home() + "/store");
  ASSERT_TRUE(holder);
  ASSERT_EQ(::kill(holder->pid, SIGKILL), 0);
  while (IsHeld(home() + "/store")) ::usleep(5000);
  const ProgramRun again = As("$K mount store mnt && cat mnt/foo");
  EXPECT_EQ(again.out, "bar\n") << again.err;
}

TEST_F(Users, AllowOtherIsAskedOfFuseConf) {
  As("$K create store && mkdir mnt");
  Replace("/etc/fuse.conf", "#user_allow_other\n");
  ExpectRefused("$K mount -o allow_other store mnt", 6,
                {"allow_other", "user_allow_other", "/etc/fuse.conf", "mnt"});
  EXPECT_FALSE(IsHeld(home() + "/store"));
  Replace("/etc/fuse.conf", "user_allow_other\n");
  const ProgramRun allowed = As("$K mount -o allow_other store mnt && echo bar > mnt/foo");
  EXPECT_EQ(allowed.status, 0) << allowed.err;
  EXPECT_EQ(AsRoot("cat mnt/foo").out, "bar\n");
}

TEST_F(Users, TheDeviceMustBeOpenToThem) {
  As("$K create store && mkdir mnt");
  ASSERT_EQ(::chmod(device().c_str(), 0600), 0);
  ExpectRefused("$K mount store mnt", 6, {"/dev/fuse", "chmod 666"});
  EXPECT_EQ(As("$K doctor").status, 6);
  EXPECT_NE(As("$K doctor").out.find("problem  /dev/fuse"), std::string::npos);
}

TEST_F(Users, ThePackageOfFusermountIsNamed) {
  As("$K create store && mkdir mnt");
  Replace(RunShell("printf %s \"$(command -v fusermount3)\"").out, "");
  ExpectRefused("$K mount store mnt", 6, {"fusermount3", "install the package fuse3"});
}

TEST_F(Users, TheMountPointMustBeTheirs) {
  As("$K create store");
  ExpectRefused("$K mount store ../mnt", 5, {mount_point(), "where they may write"});
}

TEST_F(Users, TheStoreMustBeTheirs) {
  Create();
  As("mkdir mnt");
  const std::string before = RunShell("cd '" + store() + "' && ls -lR && md5sum superblock").out;
  for (const char* command : {"mount ../store mnt", "get ../store key", "put ../store key value",
                              "check ../store", "compact ../store"}) {
    ExpectRefused(std::string("$K ") + command, std::string(command).starts_with("check") ? 8 : 12,
                  {store(), "Permission denied"});
  }
  ExpectRefused("$K create ../new", 12, {directory() + "/new", "Permission denied"});
  EXPECT_EQ(RunShell("cd '" + store() + "' && ls -lR && md5sum superblock").out, before);
}

// A store that they may only read.
class ReadingUsers : public Users {
 protected:
  void SetUp() override {
    Users::SetUp();
    if (IsSkipped()) return;
    Create();
    Put("key", "value");
    Put("large", std::string(100'000, 'x'));
    ASSERT_EQ(RunShell("chmod -R a+rX '" + store() + "'").status, 0);
  }
  std::string Fingerprint() const {
    return RunShell("cd '" + store() +
                    "' && find . -printf '%p %s %m %u %T@\n' | sort; cat lock superblock log/* "
                    "*.keys *.values | md5sum")
        .out;
  }
  void ExpectReadingOnly() {
    const std::string before = Fingerprint();
    EXPECT_EQ(As("$K get ../store key").out, "value");
    for (const char* command :
         {"get ../store large", "ls ../store", "ls -lR ../store", "find ../store",
          "stat ../store key", "export ../store - > out", "export --to jsonl ../store -",
          "export --to tree ../store out-tree", "check ../store", "stats ../store",
          "dump ../store/superblock", "dump ../store/lock", "status ../store",
          "repair ../store out-repaired"}) {
      const ProgramRun run = As(std::string("$K ") + command);
      EXPECT_EQ(run.status, 0) << command << ": " << run.err;
      EXPECT_EQ(run.err, "") << command;
    }
    As("rm -rf out*; mkdir -p mnt tree; touch tree/a; echo put a b > puts");
    for (const char* command :
         {"put ../store key x", "append ../store key x", "del ../store key",
          "mv ../store key other", "mkdir ../store made", "batch ../store < puts",
          "import tree ../store", "compact ../store", "bench ../store", "mount ../store mnt"}) {
      ExpectRefused(std::string("$K ") + command, 12,
                    {store(), "Permission denied", "can be read, but not changed"});
    }
    EXPECT_EQ(Fingerprint(), before);
  }
};

TEST_F(ReadingUsers, ReadAClosedStoreAndChangeNothing) { ExpectReadingOnly(); }

TEST_F(ReadingUsers, ReadWhatIsInTheLogOnly) {
  Mount();
  Shell("echo two > two");
  KillDaemon();
  EXPECT_EQ(RunKvfs({"unmount", mount_point()}).status, 8);
  ASSERT_EQ(RunShell("chmod -R a+rX '" + store() + "'").status, 0);
  EXPECT_EQ(As("$K get ../store two").out, "two\n");
  ExpectReadingOnly();
}

TEST_F(ReadingUsers, MountItReadOnly) {
  As("mkdir mnt");
  const ProgramRun run = As("$K mount -o ro ../store mnt && cat mnt/key && $K unmount mnt");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, "value");
}

// It cannot be determined whether there is one.
TEST_F(ReadingUsers, AStoreOutOfSightIsNoMissingOne) {
  stdfs::create_directories(Path("closed/in"));
  ASSERT_EQ(RunKvfs({"create", Path("closed/in/store")}).status, 0);
  ASSERT_EQ(::chmod(Path("closed").c_str(), 0700), 0);
  As("mkdir mnt");
  for (const char* command :
       {"get S key", "put S key v", "ls S", "stats S", "compact S", "status S", "bench S",
        "dump S/superblock", "export S -", "repair S new", "mount S mnt", "create S", "check S"}) {
    std::string line = command;
    line.replace(line.find(" S") + 1, 1, "../closed/in/store");
    ExpectRefused("$K " + line, std::string(command).starts_with("check") ? 8 : 12,
                  {"closed", "Permission denied"});
  }
}

// uid, gid and umask: a mount made at boot, for one user.
class ShownOwner : public Users {
 protected:
  void MountForUser(const std::string& options) {
    Create();
    const ProgramRun run =
        RunKvfs({"mount", "-o", "allow_other," + options, store(), mount_point()});
    ASSERT_EQ(run.status, 0) << run.err;
  }
  std::string StatOf(const std::string& name) const {
    return RunShell("stat -c '%u %g %a' '" + mount_point() + "/" + name + "'").out;
  }
};

TEST_F(ShownOwner, TheMountBelongsToTheUserNamed) {
  MountForUser("uid=65534,gid=65534,umask=077");
  EXPECT_EQ(StatOf(""), "65534 65534 700\n");
  Put("byroot", "1");
  EXPECT_EQ(StatOf("byroot"), "65534 65534 700\n");
  EXPECT_EQ(As("echo bar > ../mnt/foo && cat ../mnt/foo ../mnt/byroot").out, "bar\n1");
  EXPECT_EQ(As("cat ../mnt/.kvfs/config | grep -c uid.:65534").out, "1\n");
  const ProgramRun other =
      RunShell("setpriv --reuid=1000 --regid=1000 --clear-groups ls '" + mount_point() + "'");
  EXPECT_NE(other.err.find("Permission denied"), std::string::npos);
}

TEST_F(ShownOwner, WhatIsNewIsStoredAsTheUsers) {
  MountForUser("uid=65534,gid=65534");
  Shell("umask 022; echo byroot > foo; mkdir d; ln -s foo link; mkfifo fifo");
  Unmount();
  EXPECT_EQ(
      RunKvfs({"stat", "--json", store(), "foo"}).out.find("\"uid\":65534") != std::string::npos,
      true);
  Mount();
  EXPECT_EQ(StatOf("foo"), "65534 65534 644\n");
  EXPECT_EQ(StatOf("d"), "65534 65534 755\n");
}

TEST_F(ShownOwner, ChangesAreStoredThoughNotShown) {
  MountForUser("uid=65534,gid=65534,umask=022");
  Shell("echo 1 > foo; chown 5:6 foo; chmod 640 foo; mkdir d; chmod 1700 d");
  EXPECT_EQ(StatOf("foo"), "65534 65534 755\n");
  EXPECT_EQ(RunShell("ls -l '" + mount_point() + "' | grep -c ' nobody '").out, "2\n");
  Unmount();
  Mount();
  EXPECT_EQ(StatOf("foo"), "5 6 640\n");
  EXPECT_EQ(StatOf("d"), "65534 65534 1700\n");
}

TEST_F(ShownOwner, TheShownOwnerMayDoWhatAnOwnerMay) {
  MountForUser("uid=65534");
  Shell("echo 1 > foo; chmod 600 foo");
  EXPECT_EQ(As("cat ../mnt/foo && chmod 644 ../mnt/foo && stat -c %a ../mnt/foo").out, "1\n644\n");
  EXPECT_NE(As("chown 0 ../mnt/foo").status, 0);
}

TEST_F(ShownOwner, NobodyMakesASetuidProgram) {
  MountForUser("uid=65534");
  Shell("echo 1 > foo; chown 0 foo");
  EXPECT_EQ(As("chmod 6755 ../mnt/foo; stat -c %a ../mnt/foo").out, "755\n");
  As("python3 -c \"import os; os.mknod(\\\"../mnt/new\\\", 0o104755)\"");
  Unmount();
  Mount();
  EXPECT_EQ(StatOf("foo"), "0 0 755\n");
  EXPECT_EQ(StatOf("new"), "65534 65534 755\n");
}

}  // namespace
}  // namespace kvfs::cli
