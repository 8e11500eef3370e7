// A daemon that is alive but does not answer: commands wait up to their limit, say so, and give up;
// those meant for this case never wait.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

class SilentDaemon : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    Mount();
    Shell("echo bar > foo");
    daemon_ = DaemonPid();
    ASSERT_EQ(::kill(daemon_, SIGSTOP), 0);
  }
  void TearDown() override { GoOn(); }
  void GoOn() { ::kill(daemon_, SIGCONT); }

  // Runs a command that must not hang.
  ProgramRun RunBounded(const std::string& command) {
    return RunShell("timeout 50 '" + ProgramPath() + "' " + command);
  }
  void ExpectSaid(const ProgramRun& run, const std::string& words) {
    EXPECT_NE((run.out + run.err).find(words), std::string::npos)
        << words << " is not in: " << run.out << run.err;
  }

  pid_t daemon_ = 0;
};

TEST_F(SilentDaemon, IsWaitedForAsLongAsToldAndNotForEver) {
  const std::string pid = std::to_string(daemon_);
  const ProgramRun run = RunKvfs({"get", "--timeout", "3", store(), "foo"});
  EXPECT_EQ(run.status, 12);
  ExpectSaid(run,
             "in use by process " + pid + ", a daemon that does not answer; waiting, 3 seconds");
  ExpectSaid(run, "its daemon does not answer, waited 3 seconds\n");
  GoOn();
  EXPECT_EQ(RunKvfs({"get", store(), "foo"}).out, "bar\n");
}

TEST_F(SilentDaemon, IsGivenUpByEveryCommandThatReadsOrWrites) {
  for (const char* command :
       {"put --timeout 2 {} foo x", "ls --timeout 2 {}", "stats --timeout 2 {}",
        "check --timeout 2 {}", "export --timeout 2 {} -"}) {
    std::string line = command;
    line.replace(line.find("{}"), 2, "'" + store() + "'");
    const ProgramRun run = RunBounded(line + " | cat > /dev/null");
    EXPECT_EQ(run.status, 0) << command;  // the status of cat, which reached its end
    ExpectSaid(run, "its daemon does not answer");
  }
}

TEST_F(SilentDaemon, IsGivenUpWhereAMountPointLiesInItsMount) {
  GoOn();
  Shell("mkdir known");
  ASSERT_EQ(::kill(daemon_, SIGSTOP), 0);
  Run({"create", Path("other")});
  for (const std::string& command :
       {"mount --timeout 2 " + Path("other") + " " + mount_point() + "/d",
        "mount --timeout 2 " + Path("other") + " " + mount_point() + "/known",
        "unmount --timeout 2 " + mount_point() + "/d"}) {
    const ProgramRun run = RunBounded(command);
    EXPECT_EQ(run.status, 12) << command << ": " << run.err;
    ExpectSaid(run, "its daemon does not answer, waited 2 seconds");
  }
}

TEST_F(SilentDaemon, IsTalkedAboutByStatusWithoutWaiting) {
  for (const std::string& place : {std::string(), mount_point(), store(), mount_point() + "/"}) {
    const ProgramRun run = RunBounded("status " + place);
    EXPECT_EQ(run.status, 0) << run.err;
    ExpectSaid(run, store() + " is mounted on " + mount_point() + " by process " +
                        std::to_string(daemon_) + ", which is stopped");
    ExpectSaid(run, "kvfs unmount --force");
  }
  ExpectSaid(RunBounded("status --json " + store()), "\"state\":\"silent\"");
}

TEST_F(SilentDaemon, IsNotedByDoctorWithoutWaiting) {
  const ProgramRun run = RunBounded("doctor " + store());
  ExpectSaid(run, "the daemon of " + mount_point() + " does not answer");
  ExpectSaid(RunBounded("doctor " + mount_point()), mount_point() + ": its daemon does not answer");
}

TEST_F(SilentDaemon, IsGivenUpByTop) {
  const ProgramRun run = RunBounded("top --timeout 2 --times 1 " + mount_point());
  EXPECT_EQ(run.status, 12);
  ExpectSaid(run, "its daemon does not answer");
}

TEST_F(SilentDaemon, IsNotMeasured) {
  const ProgramRun run = RunBounded("bench " + mount_point());
  EXPECT_EQ(run.status, 12);
  ExpectSaid(run, "its daemon does not answer");
}

TEST_F(SilentDaemon, IsNotMountedOver) {
  Run({"create", Path("other")});
  const ProgramRun run = RunBounded("mount " + Path("other") + " " + mount_point());
  EXPECT_EQ(run.status, 5);
  ExpectSaid(run, "is mounted there already");
}

// Commands on another store that only read or write a file in the mount.
TEST_F(SilentDaemon, IsGivenUpWhereAFileLiesInItsMount) {
  const std::string other = Path("other");
  const std::string in_mount = mount_point() + "/d";
  Run({"create", other});
  std::filesystem::create_directory(Path("mnt2"));
  for (const std::string& command :
       {"import --timeout 2 " + mount_point() + " " + other,
        "import --timeout 2 --from jsonl " + in_mount + " " + other,
        "export --timeout 2 " + other + " " + in_mount,
        "export --timeout 2 --to tree " + other + " " + in_mount,
        "export --timeout 2 --to smkv " + other + " " + in_mount,
        "put --timeout 2 --file " + in_mount + " " + other + " key",
        "append --timeout 2 --file " + in_mount + " " + other + " key",
        "dump --timeout 2 " + in_mount, "bench --timeout 2 " + in_mount,
        "create --timeout 2 " + in_mount, "repair --timeout 2 " + other + " " + in_mount,
        "get --timeout 2 " + in_mount + " key", "status " + in_mount,
        "mount --timeout 2 " + in_mount + " " + Path("mnt2"),
        "mount --timeout 2 --log " + in_mount + " " + other + " " + Path("mnt2")}) {
    const ProgramRun run = RunBounded(command);
    EXPECT_EQ(run.status, 12) << command << ": " << run.err;
    ExpectSaid(run, "its daemon does not answer");
  }
}

// The kernel resolves the path without the daemon, and needs it for opening the file.
TEST_F(SilentDaemon, IsGivenUpWhereAFileLiesThatTheKernelKnows) {
  const std::string other = Path("other");
  const std::string in_mount = mount_point() + "/foo";
  Run({"create", other});
  for (const std::string& command : {"import --timeout 2 --from jsonl " + in_mount + " " + other,
                                     "export --timeout 2 " + other + " " + in_mount,
                                     "export --timeout 2 --to jsonl " + other + " " + in_mount,
                                     "put --timeout 2 --file " + in_mount + " " + other + " key",
                                     "append --timeout 2 --file " + in_mount + " " + other + " key",
                                     "dump --timeout 2 " + in_mount}) {
    GoOn();
    ExpectValue("foo", "bar\n");
    ASSERT_EQ(::kill(daemon_, SIGSTOP), 0);
    const ProgramRun run = RunBounded(command);
    EXPECT_EQ(run.status, 12) << command << ": " << run.err;
    ExpectSaid(run, "its daemon does not answer");
  }
}

TEST_F(SilentDaemon, KeepsItsMountUnlessToldByForce) {
  const ProgramRun run = RunBounded("unmount --timeout 2 " + mount_point());
  EXPECT_EQ(run.status, 12);
  ExpectSaid(run, "waiting, 2 seconds at most");
  ExpectSaid(run, "kvfs unmount --force " + mount_point());
  ExpectMounted(true);
  GoOn();
  Unmount();
  ExpectValue("foo", "bar\n");
}

TEST_F(SilentDaemon, IsCutOffByForceAndClosesItsStoreLater) {
  const ProgramRun run = RunBounded("unmount --force " + mount_point());
  EXPECT_EQ(run.status, 0) << run.err;
  ExpectSaid(run, "process " + std::to_string(daemon_) + ", still holds the store " + store());
  ExpectMounted(false);
  GoOn();
  ExpectValue("foo", "bar\n");
}

TEST_F(SilentDaemon, IsDetachedLazily) {
  const ProgramRun run = RunBounded("unmount --lazy " + mount_point());
  EXPECT_EQ(run.status, 0) << run.err;
  ExpectMounted(false);
  GoOn();
  ExpectValue("foo", "bar\n");
}

TEST_F(SilentDaemon, FallsSilentInTheMiddleOfAValue) {
  GoOn();
  // More than pipes and sockets buffer.
  Shell("head -c 30000000 /dev/zero | tr '\\0' x > large");
  const ProgramRun run = RunShell(
      "{ timeout 50 '" + ProgramPath() + "' get --timeout 2 '" + store() + "' large; echo $? > '" +
      Path("status") + "'; } | { head -c 1 > /dev/null; kill -STOP " + std::to_string(daemon_) +
      "; cat > /dev/null; }; cat '" + Path("status") + "'");
  EXPECT_EQ(run.out, "12\n");
  ExpectSaid(run, "is stopped (`kill -CONT` resumes it); waiting, 2 seconds at most");
  ExpectSaid(run, "its daemon does not answer, waited 2 seconds\n");
}

// It is unknown whether the put was applied.
TEST_F(SilentDaemon, ThatDiesInTheMiddleOfAChangeLeavesItUnknown) {
  const std::string pid = std::to_string(daemon_);
  GoOn();
  const ProgramRun run =
      RunShell("{ echo 1; sleep 0.5; kill -KILL " + pid + "; sleep 0.5; echo 2; } | '" +
               ProgramPath() + "' put '" + store() + "' foo");
  EXPECT_EQ(run.status, 8) << run.err;
  ExpectSaid(run, "the process at the other end has ended");
  ExpectValue("foo", "bar\n");
}

TEST_F(SilentDaemon, ThatHasDiedLeavesNoTreeToImport) {
  GoOn();
  Run({"create", Path("other")});
  Shell("ls > /dev/null");
  KillDaemon();
  const ProgramRun run = RunBounded("import " + mount_point() + " " + Path("other"));
  EXPECT_EQ(run.status, 12) << run.err;
  ExpectSaid(run, "cannot import all of " + mount_point());
}

}  // namespace
}  // namespace kvfs::cli
