// mount and unmount, and the data commands while a daemon serves the store.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "cli/mounts/lock_file.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class MountCommand : public StoreFixture {
 protected:
  void SetUp() override {
    ASSERT_EQ(::access("/dev/fuse", R_OK | W_OK), 0) << "there is no FUSE on this machine";
    Create();
  }
};

TEST_F(MountCommand, KeysAreFiles) {
  Put("foo", "bar");
  Mount();
  Shell("test \"$(cat foo)\" = bar && echo new > foo2 && mkdir d && echo deep > d/e && rm foo");
  Unmount();
  ExpectValue("foo2", "new\n");
  ExpectValue("d/e", "deep\n");
  ExpectFailure({"get", store(), "foo"}, 11, {"foo"});
}

TEST_F(MountCommand, TheMountIsThereWhenMountReturns) {
  Mount();
  ExpectMounted(true);
  EXPECT_EQ(RunShell("findmnt -no FSTYPE,SOURCE '" + mount_point() + "' || true").err, "");
  Shell("echo bar > foo");
}

TEST_F(MountCommand, UnmountReturnsWhenTheDaemonHasEnded) {
  Mount();
  const pid_t daemon = DaemonPid();
  Shell("echo bar > foo");
  Unmount();
  ExpectMounted(false);
  EXPECT_FALSE(stdfs::exists("/proc/" + std::to_string(daemon) + "/exe"));
  EXPECT_FALSE(ReadHolder(store()));
}

TEST_F(MountCommand, DataCommandsGoThroughTheMount) {
  Mount();
  Shell("echo file > foo && mkdir d");
  ExpectValue("foo", "file\n");
  Put("foo", "command");
  Shell("test \"$(cat foo)\" = command");
  Put("d/new", "");
  ExpectValue("d/new", "");
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "d\nfoo\n");
  EXPECT_EQ(RunKvfs({"ls", store(), "d"}).out, "new\n");
  EXPECT_EQ(RunKvfs({"ls", store(), "d/new"}).out, "new\n");
  EXPECT_EQ(RunKvfs({"del", store(), "foo"}).status, 0);
  Shell("test ! -e foo");
}

TEST_F(MountCommand, DataCommandsFailAlikeWithAndWithoutTheMount) {
  Mount();
  Shell("mkdir d && ln -s d link && ln -s /etc/passwd out && mkfifo fifo");
  const std::vector<std::pair<std::vector<std::string>, int>> cases = {
      {{"get", store(), "absent"}, 11},   {{"get", store(), "d"}, 13},
      {{"put", store(), "d", "v"}, 13},   {{"put", store(), "no/foo", "v"}, 11},
      {{"del", store(), "absent"}, 11},   {{"del", store(), "d"}, 13},
      {{"ls", store(), "absent"}, 11},    {{"get", store(), "link/foo"}, 13},
      {{"get", store(), "out"}, 13},      {{"put", store(), "out", "v"}, 13},
      {{"get", store(), "../store"}, 1},  {{"get", store(), "fifo"}, 13},
      {{"put", store(), "fifo", "v"}, 13}};
  for (const auto& [arguments, status] : cases) ExpectFailure(arguments, status, {arguments[2]});
  Unmount();
  for (const auto& [arguments, status] : cases) ExpectFailure(arguments, status, {arguments[2]});
}

TEST_F(MountCommand, KillingTheDaemonLosesNothing) {
  Mount();
  Shell("for i in 1 2 3 4 5; do echo $i > key$i; done; echo over > key1; mv key2 moved; rm key3");
  KillDaemon();
  const ProgramRun remount = RunKvfs({"mount", store(), mount_point()});
  ASSERT_EQ(remount.status, 0) << remount.err;
  EXPECT_NE(remount.err.find("daemon had died"), std::string::npos) << remount.err;
  EXPECT_EQ(RunShell("cd " + mount_point() + " && ls && cat key1 moved").out,
            "key1\nkey4\nkey5\nmoved\nover\n2\n");
}

TEST_F(MountCommand, DataCommandsWorkAfterTheDaemonWasKilled) {
  Mount();
  Shell("echo bar > foo");
  KillDaemon();
  ExpectValue("foo", "bar\n");
}

TEST_F(MountCommand, UnmountTakesADeadMountAwayAndSaysSo) {
  Mount();
  KillDaemon();
  ExpectFailure({"unmount", mount_point()}, 8, {"ended without closing", store()});
  ExpectMounted(false);
}

// Even if its lock file no longer says so, and in any way of asking.
TEST_F(MountCommand, UnmountOfADeadMountEndsTheSameInAnyCase) {
  for (const char* how : {"--wait", "--lazy", "--force"}) {
    for (const bool is_reopened : {false, true}) {
      Mount();
      KillDaemon();
      if (is_reopened) Put("key", "value");
      ExpectFailure({"unmount", how, mount_point()}, 8, {store()});
      ExpectMounted(false);
    }
  }
}

TEST_F(MountCommand, UnmountSaysWhereNobodyWaitedForTheDaemon) {
  ASSERT_EQ(RunKvfs({"mount", store(), mount_point(), "-o", "fsname=settings"}).status, 0);
  stdfs::resize_file(store() + "/lock", 0);
  ExpectFailure({"unmount", mount_point()}, 8, {"cannot be found from here", mount_point()});
  ExpectMounted(false);
}

TEST_F(MountCommand, ADeadMountOfAnotherStoreStays) {
  Mount();
  KillDaemon();
  const std::string other = directory() + "/other";
  ASSERT_EQ(RunKvfs({"create", other}).status, 0);
  ExpectFailure({"mount", other, mount_point()}, 5, {"dead mount", store()});
  ExpectMounted(true);
}

TEST_F(MountCommand, ASecondMountOfTheStoreNamesTheFirst) {
  Mount();
  const std::string elsewhere = directory() + "/elsewhere";
  stdfs::create_directory(elsewhere);
  const std::string pid = std::to_string(DaemonPid());
  ExpectFailure({"mount", store(), elsewhere}, 3, {pid, mount_point()});
  ExpectFailure({"mount", store(), mount_point()}, 3, {pid, mount_point()});
}

TEST_F(MountCommand, AStoreInUseByAnotherMountStaysThere) {
  Mount();
  const std::string other = directory() + "/other";
  ASSERT_EQ(RunKvfs({"create", other}).status, 0);
  ExpectFailure({"mount", other, mount_point()}, 5, {"mounted there already", store()});
}

class Signalled : public MountCommand, public testing::WithParamInterface<int> {};

TEST_P(Signalled, TheDaemonUnmountsClosesAndExitsWithZero) {
  const pid_t daemon = StartKvfs({"mount", "-f", store(), mount_point()});
  AwaitMount();
  Shell("echo bar > foo");
  ASSERT_EQ(::kill(daemon, GetParam()), 0);
  EXPECT_EQ(AwaitExit(daemon), 0);
  ExpectMounted(false);
  EXPECT_FALSE(ReadHolder(store()));
  ExpectValue("foo", "bar\n");
}

INSTANTIATE_TEST_SUITE_P(StopSignals, Signalled, testing::Values(SIGTERM, SIGINT, SIGHUP));

TEST_F(MountCommand, SigtermEndsABusyMountToo) {
  const pid_t daemon = StartKvfs({"mount", "-f", store(), mount_point()});
  AwaitMount();
  Shell("echo bar > foo");
  const int file = ::open((mount_point() + "/foo").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  ::kill(daemon, SIGTERM);
  EXPECT_EQ(AwaitExit(daemon), 0);
  ::close(file);
  ExpectMounted(false);
  ExpectValue("foo", "bar\n");
}

TEST_F(MountCommand, ForegroundEndsWhenSomebodyUnmounts) {
  const pid_t daemon = StartKvfs({"mount", "-f", store(), mount_point()});
  AwaitMount();
  Shell("true");
  // The daemon may just be testing its mount, which is busy meanwhile.
  EXPECT_EQ(RunShell("for i in $(seq 100); do umount '" + mount_point() + "' || fusermount3 -u '" +
                     mount_point() + "' && exit 0; sleep 0.1; done; exit 1")
                .status,
            0);
  EXPECT_EQ(AwaitExit(daemon), 0);
}

TEST_F(MountCommand, ABusyMountStaysAndItsUserIsNamed) {
  Mount();
  Shell("echo bar > foo");
  const int file = ::open((mount_point() + "/foo").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  ExpectFailure({"unmount", mount_point()}, 5,
                {"in use", std::to_string(::getpid()), mount_point() + "/foo"});
  ExpectMounted(true);
  ::close(file);
  Unmount();
}

TEST_F(MountCommand, UnmountCanBeCalledFromInside) {
  Mount();
  const ProgramRun run =
      RunShell("cd '" + mount_point() + "' && exec '" + ProgramPath() + "' unmount .");
  EXPECT_EQ(run.status, 0) << run.err;
  ExpectMounted(false);
}

// Keys that others have already deleted are no error.
TEST_F(MountCommand, DelRecursiveGoesOnWhereOthersDelete) {
  Mount();
  Shell("mkdir t && cd t && for i in $(seq 300); do mkdir a$i; : > a$i/f; done");
  const ProgramRun run =
      RunShell("(cd '" + mount_point() +
               "/t' && ls -f | tail -150 | while read a; do rm -f $a/f; done) & '" + ProgramPath() +
               "' del -r '" + store() + "' t; status=$?; wait; exit $status");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(RunKvfs({"stat", store(), "t"}).status, 11);
  Unmount();
}

// A script may pass an open descriptor of the mount to its commands; the shell itself has closed
// it.
TEST_F(MountCommand, UnmountIsNotHeldUpByWhatItInherits) {
  Mount();
  Shell("echo bar > foo");
  const ProgramRun run = RunShell("exec '" + ProgramPath() + "' unmount '" + mount_point() +
                                  "' 3< '" + mount_point() + "/foo'");
  EXPECT_EQ(run.status, 0) << run.err;
  ExpectMounted(false);
}

TEST_F(MountCommand, AMountInsideIsNamed) {
  Mount();
  Shell("mkdir d");
  const std::string inner = mount_point() + "/d";
  ASSERT_EQ(RunShell("mount -t tmpfs none '" + inner + "'").status, 0);
  ExpectFailure({"unmount", mount_point()}, 5, {"in use", "a mount inside it, on " + inner});
  ASSERT_EQ(RunShell("umount '" + inner + "'").status, 0);
  Unmount();
}

// Commands with files in a mount are watched; a daemon must not be, whoever starts it.
TEST_F(MountCommand, AMountInsideAMountOutlivesItsCommand) {
  Mount();
  Shell("mkdir d");
  const std::string inner = mount_point() + "/d", other = Path("other");
  Run({"create", other});
  const auto mount = [&](bool by_helper) {
    return by_helper ? RunKvfsAs("mount.kvfs", {other, inner}) : RunKvfs({"mount", other, inner});
  };
  for (const bool by_helper : {true, false}) {
    const ProgramRun run = mount(by_helper);
    ASSERT_EQ(run.status, 0) << run.err;
    // One that ended with its watcher was gone after a quarter of this time.
    EXPECT_EQ(RunShell("sleep 1; mountpoint -q '" + inner + "'").status, 0) << by_helper;
    EXPECT_EQ(RunKvfs({"unmount", inner}).status, 0) << by_helper;
  }
  Unmount();
}

TEST_F(MountCommand, LazyUnmountDetachesABusyMount) {
  Mount();
  Shell("echo bar > foo");
  const int file = ::open((mount_point() + "/foo").c_str(), O_RDONLY | O_CLOEXEC);
  const ProgramRun run = RunKvfs({"unmount", "--lazy", mount_point()});
  EXPECT_EQ(run.status, 0) << run.err;
  ExpectMounted(false);
  ::close(file);
}

TEST_F(MountCommand, UnmountFindsTheStoreBehindAnotherSourceName) {
  ASSERT_EQ(RunKvfs({"mount", store(), mount_point(), "-o", "fsname=settings"}).status, 0);
  EXPECT_NE(RunShell("cat /proc/self/mountinfo").out.find(" settings "), std::string::npos);
  const ProgramRun run = RunKvfs({"unmount", mount_point()});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_FALSE(ReadHolder(store()));
}

// Longer than the address of a socket.
TEST_F(MountCommand, ALongPathIsNoMatter) {
  std::string deep = directory();
  while (deep.size() < 2000) stdfs::create_directory(deep += "/" + std::string(200, 'd'));
  Run({"create", deep + "/store"});
  Run({"mount", deep + "/store", mount_point()});
  Run({"put", deep + "/store", "foo", "--", "bar"});
  Shell("grep bar foo");
  EXPECT_EQ(Output({"get", mount_point(), "foo"}), "bar");
  Unmount();
}

TEST_F(MountCommand, OddCharactersInPathsAreNoMatter) {
  const std::string odd = directory() + "/a b,c\\d\te";
  stdfs::create_directory(odd);
  ASSERT_EQ(RunKvfs({"create", odd + "/store"}).status, 0);
  stdfs::create_directory(odd + "/mnt");
  const ProgramRun mounted = RunKvfs({"mount", odd + "/store", odd + "/mnt"});
  ASSERT_EQ(mounted.status, 0) << mounted.err;
  const ProgramRun unmounted = RunKvfs({"unmount", odd + "/mnt"});
  EXPECT_EQ(unmounted.status, 0) << unmounted.err;
  EXPECT_EQ(unmounted.err, "");
  EXPECT_FALSE(ReadHolder(odd + "/store"));
}

TEST_F(MountCommand, RelativePathsAreResolvedFirst) {
  const ProgramRun run =
      RunShell("cd '" + directory() + "' && '" + ProgramPath() + "' mount store mnt");
  ASSERT_EQ(run.status, 0) << run.err;
  Shell("echo bar > foo");
  EXPECT_EQ(stdfs::read_symlink("/proc/" + std::to_string(DaemonPid()) + "/cwd"), "/");
  Unmount();
}

TEST_F(MountCommand, TheCallersPipeIsLetGo) {
  const ProgramRun run = RunShell("x=$('" + ProgramPath() + "' mount '" + store() + "' '" +
                                  mount_point() + "' 2>&1) && echo \"got $x\"");
  EXPECT_EQ(run.out, "got \n") << run.err;
}

TEST_F(MountCommand, BareFormMounts) {
  const ProgramRun run = RunKvfs({store(), mount_point(), "-o", "rw,noatime,_netdev"});
  ASSERT_EQ(run.status, 0) << run.err;
  ExpectMounted(true);
}

TEST_F(MountCommand, HelperFormMounts) {
  const ProgramRun run =
      RunKvfsAs("/sbin/mount.kvfs", {store(), mount_point(), "-v", "-o", "rw,nofail"});
  ASSERT_EQ(run.status, 0) << run.err;
  ExpectMounted(true);
}

TEST_F(MountCommand, HelperFormGivesMountsExitCodes) {
  EXPECT_EQ(RunKvfsAs("mount.kvfs", {"/nowhere", mount_point()}).status, 32);
  EXPECT_EQ(RunKvfsAs("mount.kvfs", {store(), mount_point(), "-o", "frob"}).status, 1);
  EXPECT_EQ(RunKvfsAs("mount.kvfs", {store(), mount_point(), "-f"}).status, 0);
  ExpectMounted(false);
}

TEST_F(MountCommand, ReadOnlyMountRefusesChanges) {
  Put("foo", "bar");
  ASSERT_EQ(RunKvfs({"mount", store(), mount_point(), "-o", "ro"}).status, 0);
  ExpectValue("foo", "bar");
  EXPECT_NE(RunShell("echo x > '" + mount_point() + "/foo'").status, 0);
  ExpectFailure({"put", store(), "foo", "x"}, 12, {"foo", "read-only"});
  ExpectValue("foo", "bar");
}

TEST_F(MountCommand, CreateMakesTheMissingStore) {
  const std::string fresh = directory() + "/fresh";
  ExpectFailure({"mount", fresh, mount_point()}, 2, {"no store at " + fresh});
  ASSERT_EQ(RunKvfs({"mount", "--create", fresh, mount_point()}).status, 0);
  Shell("echo bar > foo");
  Unmount();
  ASSERT_EQ(RunKvfs({"mount", "--create", fresh, mount_point()}).status, 0);
  Shell("test -e foo");
}

TEST_F(MountCommand, RefusesAMountPointInTheStore) {
  ExpectFailure({"mount", store(), store()}, 5, {"lies in the store"});
  stdfs::create_directory(store() + "/mnt");
  ExpectFailure({"mount", store(), store() + "/mnt"}, 5, {"lies in the store"});
  stdfs::create_directory_symlink(store() + "/mnt", directory() + "/link");
  ExpectFailure({"mount", store(), directory() + "/link"}, 5, {"lies in the store"});
}

TEST_F(MountCommand, RefusesAStoreInTheMountPoint) {
  ExpectFailure({"mount", store(), directory()}, 5, {"the store " + store() + " lies in it"});
  ExpectFailure({"mount", "-o", "nonempty", store(), directory()}, 5, {"lies in it"});
}

TEST_F(MountCommand, RefusesAMountPointThatIsNoDirectory) {
  const std::string file = directory() + "/file";
  std::ofstream(file) << "x";
  ExpectFailure({"mount", store(), file}, 5, {file, "not a directory"});
  ExpectFailure({"mount", store(), file + "/below"}, 5, {file});
  ExpectFailure({"mount", store(), directory() + "/absent"}, 5, {"no such directory", "mkdir"});
}

TEST_F(MountCommand, HidesFilesOnlyIfAsked) {
  std::ofstream(mount_point() + "/file") << "x";
  ExpectFailure({"mount", store(), mount_point()}, 5, {"not empty", "-o nonempty"});
  ASSERT_EQ(RunKvfs({"mount", "-o", "nonempty", store(), mount_point()}).status, 0);
  Shell("test ! -e file");
}

TEST_F(MountCommand, NamesTheUnknownOption) {
  ExpectFailure({"mount", store(), mount_point(), "-o", "rw,frob"}, 1, {"frob"});
}

TEST_F(MountCommand, RefusesWhatIsNoStore) {
  const std::string other = directory() + "/other";
  stdfs::create_directory(other);
  ExpectFailure({"mount", other, mount_point()}, 2, {other});
  std::ofstream(other + "/file") << "x";
  ExpectFailure({"mount", other, mount_point()}, 2, {other});
  ExpectFailure({"mount", other + "/file", mount_point()}, 2, {other + "/file"});
}

TEST_F(MountCommand, RefusesADamagedStore) {
  stdfs::resize_file(store() + "/superblock", 100);
  ExpectFailure({"mount", store(), mount_point()}, 4, {store()});
  ExpectMounted(false);
}

TEST_F(MountCommand, UnmountRefusesWhatIsNoMountOfOurs) {
  ExpectFailure({"unmount", mount_point()}, 5, {"nothing is mounted"});
  ExpectFailure({"unmount", directory() + "/absent"}, 5, {"absent"});
  ExpectFailure({"unmount", "/proc"}, 5, {"proc"});
}

TEST_F(MountCommand, TheLogFileIsWrittenElsewhereOnly) {
  ExpectFailure({"mount", "--log", mount_point() + "/log", store(), mount_point()}, 1, {"log"});
  ASSERT_EQ(RunKvfs({"mount", "--log", directory() + "/log", store(), mount_point()}).status, 0);
  EXPECT_TRUE(stdfs::exists(directory() + "/log"));
}

TEST_F(MountCommand, MountingRightAfterAPlainUmountWaitsForTheDaemon) {
  for (int i = 0; i < 3; ++i) {
    Mount();
    Shell("echo bar > foo");
    ASSERT_EQ(RunShell("umount '" + mount_point() + "'").status, 0);
  }
  ExpectValue("foo", "bar\n");
}

TEST_F(MountCommand, AnUnmountBehindTheBackOfACommandThatIsDoneIsNoFailure) {
  Mount();
  // More names than a pipe holds: the command reads them all, and waits until they can be written.
  Shell("touch $(seq -f 'a-name-of-some-length-%.0f' 9000)");
  const ProgramRun run = RunShell(
      "{ '" + ProgramPath() + "' ls '" + store() + "'; echo $? > '" + Path("status") +
      "'; } | { head -c 1 > /dev/null; umount '" + mount_point() + "'; while grep -q pid '" +
      store() + "/lock'; do sleep 0.01; done; cat > /dev/null; }; cat '" + Path("status") + "'");
  EXPECT_EQ(run.out, "0\n") << run.err;
}

TEST_F(MountCommand, CommandsInheritAccessLists) {
  ASSERT_EQ(RunKvfs({"mount", "-o", "acl", store(), mount_point()}).status, 0);
  Shell("mkdir d && setfacl -d -m u:$(id -u):rwx,o::- d");
  Put("d/file", "value");
  ASSERT_EQ(RunKvfs({"mkdir", store(), "d/below"}).status, 0);
  Shell("getfacl -cn d/file | grep '^user:'$(id -u)':rwx.*rw-$'");
  Shell("getfacl -cn d/below | grep default:user:$(id -u):rwx");
}

// The daemon is delayed between the end of its mount and the closing of the store.
class ClosingDaemon : public MountCommand {
 protected:
  void SetUp() override {
    MountCommand::SetUp();
    ASSERT_EQ(RunKvfs({"create", other()}).status, 0);
    stdfs::create_directory(elsewhere());
  }

  std::string other() const { return directory() + "/other"; }
  std::string elsewhere() const { return directory() + "/elsewhere"; }

  void MountAndStall(const std::string& option) {
    ASSERT_EQ(RunKvfs({"mount", "-o", option, store(), mount_point()}).status, 0);
    Shell("echo bar > foo");
    daemon_ = DaemonPid();
    ASSERT_EQ(::kill(daemon_, SIGSTOP), 0);
    // The system call alone: the program umount(8) would query the file system.
    ASSERT_EQ(::umount2(mount_point().c_str(), 0), 0);
  }
  void GoOn() { ASSERT_EQ(::kill(std::exchange(daemon_, 0), SIGCONT), 0); }
  void TearDown() override {
    if (daemon_ != 0) GoOn();
  }

 private:
  pid_t daemon_ = 0;
};

TEST_F(ClosingDaemon, IsWaitedForByTheNextMount) {
  MountAndStall("rw");
  const pid_t mount = StartKvfs({"mount", store(), elsewhere()});
  const std::string waiting = "timeout 0.3 " + ProgramPath() + " get '" + store() + "' foo";
  EXPECT_EQ(RunShell(waiting).status, 124);
  GoOn();
  EXPECT_EQ(AwaitExit(mount), 0);
  ExpectValue("foo", "bar\n");
}

TEST_F(ClosingDaemon, IsWaitedForByAnUnmountThatSaysSo) {
  Mount();
  Shell("echo bar > foo");
  // A copy of the mount that lives as long as the process.
  const pid_t copy = ::fork();
  if (copy == 0) _exit(::unshare(CLONE_NEWNS) == 0 ? ::pause() : 1);
  while (stdfs::read_symlink("/proc/" + std::to_string(copy) + "/ns/mnt") ==
         stdfs::read_symlink("/proc/self/ns/mnt")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const std::string pid = std::to_string(DaemonPid());
  const ProgramRun run = RunShell("{ '" + ProgramPath() + "' unmount '" + mount_point() +
                                  "' 2>&1; echo $?; } | tee /dev/stderr | { read -r line; kill " +
                                  pid + "; echo \"$line\"; cat; }");
  EXPECT_NE(run.out.find("waiting for its daemon, process " + pid), std::string::npos) << run.out;
  EXPECT_TRUE(run.out.ends_with("\n0\n")) << run.out;
  ::kill(copy, SIGKILL);
  ::waitpid(copy, nullptr, 0);
  ExpectValue("foo", "bar\n");
}

TEST_F(ClosingDaemon, IsWaitedForAlthoughAnotherStoreIsAtItsPlace) {
  for (const char* option : {"rw", "fsname=some name"}) {
    MountAndStall(option);
    ASSERT_EQ(RunKvfs({"mount", other(), mount_point()}).status, 0);
    const std::string waiting =
        "timeout 0.3 " + ProgramPath() + " mount -f '" + store() + "' '" + elsewhere() + "'";
    EXPECT_EQ(RunShell(waiting).status, 124) << option;
    GoOn();
    ASSERT_EQ(RunKvfs({"mount", store(), elsewhere()}).status, 0) << option;
    ASSERT_EQ(RunKvfs({"unmount", elsewhere()}).status, 0);
    Unmount();
  }
}

}  // namespace
}  // namespace kvfs::cli
