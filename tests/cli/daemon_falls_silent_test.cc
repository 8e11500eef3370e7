// A daemon that is stopped while a command reads or writes files in its mount: the command
// announces that it waits, gives up at its limit, and releases everything, above all the lock of
// the store that it works on.
//
// The daemon first runs in short slices, so that it is finally stopped in the middle.
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

class DaemonFallsSilent : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    Run({"create", other()});
  }
  void TearDown() override {
    if (daemon_ != 0) ::kill(daemon_, SIGCONT);
  }

  std::string other() const { return Path("other"); }
  void MountAndKnow() {
    Mount();
    daemon_ = DaemonPid();
  }
  // Small files in a directory on the disk.
  void MakeTree(int files) {
    ASSERT_EQ(RunShell("mkdir '" + Path("tree") + "' && cd '" + Path("tree") + "' && seq " +
                       std::to_string(files) + " | xargs touch")
                  .status,
              0);
  }
  void MakeLarge(const std::string& in_store, const std::string& key = "large") {
    ASSERT_EQ(RunShell("head -c 200000000 /dev/zero | tr '\\0' x | '" + ProgramPath() + "' put '" +
                       in_store + "' " + key)
                  .status,
              0);
  }

  // Runs a command, possibly with a redirection, until it ends. Its status is printed.
  ProgramRun StopInTheMiddleOf(const std::string& command) {
    const std::string pid = std::to_string(daemon_);
    return RunShell("{ timeout 50 '" + ProgramPath() + "' " + command + "; echo $? > '" +
                    Path("status") + "'; } 2>&1 | cat & " + "for i in $(seq 25); do kill -STOP " +
                    pid + "; sleep 0.03; kill -CONT " + pid + "; sleep 0.004; done; kill -STOP " +
                    pid + "; wait; cat '" + Path("status") + "'");
  }
  // The daemon is still stopped.
  void ExpectGivenUp(const std::string& command) {
    const ProgramRun run = StopInTheMiddleOf(command);
    EXPECT_TRUE(run.out.ends_with("\n12\n")) << command << ": " << run.out;
    for (const std::string& words :
         {"the daemon of " + mount_point() + " does not answer; waiting, 3 seconds at most",
          std::string(
              "its daemon does not answer, waited 3 seconds; the command was not completed")}) {
      EXPECT_NE(run.out.find(words), std::string::npos) << command << ": " << run.out;
    }
    const ProgramRun next = RunKvfs({"ls", "--timeout", "1", other()});
    EXPECT_EQ(next.status, 0) << command << ": " << next.err;
    ::kill(daemon_, SIGCONT);
  }

  pid_t daemon_ = 0;
};

TEST_F(DaemonFallsSilent, EndsAnImportOfItsTree) {
  MakeTree(10'000);
  Run({"import", Path("tree"), store()});
  MountAndKnow();
  // The daemon may or may not have received the request that the command waits for.
  for (int round = 0; round < 3; ++round) {
    ExpectGivenUp("import --timeout 3 '" + mount_point() + "' '" + other() + "'");
  }
  ExpectGivenUp("import --timeout 3 '" + directory() + "' '" + other() + "'");
}

TEST_F(DaemonFallsSilent, EndsAnExportIntoItsTree) {
  MakeTree(10'000);
  Run({"import", Path("tree"), other()});
  MountAndKnow();
  ExpectGivenUp("export --timeout 3 --to tree '" + other() + "' '" + mount_point() + "/d'");
}

TEST_F(DaemonFallsSilent, EndsWhatReadsItsFile) {
  // Each reads a different file: the kernel would serve a second read from its cache.
  for (const char* key : {"1", "2", "3"}) MakeLarge(store(), key);
  MountAndKnow();
  const std::string file = "'" + mount_point() + "/";
  ExpectGivenUp("put --timeout 3 --file " + file + "1' '" + other() + "' key");
  ExpectGivenUp("append --timeout 3 --file " + file + "2' '" + other() + "' key");
  ExpectGivenUp("put --timeout 3 '" + other() + "' key < " + file + "3'");
}

// The path names an open descriptor, which the watching process does not have.
TEST_F(DaemonFallsSilent, EndsWhatReadsAnOpenFileByItsNumber) {
  MakeLarge(store());
  MountAndKnow();
  ExpectGivenUp("put --timeout 3 --file /dev/fd/5 '" + other() + "' key 5< '" + mount_point() +
                "/large'");
}

// The message is lost, but the command ends.
TEST_F(DaemonFallsSilent, EndsWhatHasItsMessagesThere) {
  MakeTree(10'000);
  Run({"import", Path("tree"), store()});
  MountAndKnow();
  const ProgramRun run = StopInTheMiddleOf("import --timeout 3 '" + mount_point() + "' '" +
                                           other() + "' 2> '" + mount_point() + "/messages'");
  EXPECT_TRUE(run.out.ends_with("12\n")) << run.out;
  EXPECT_EQ(RunKvfs({"ls", "--timeout", "1", other()}).status, 0);
}

TEST_F(DaemonFallsSilent, EndsWhatWritesItsFile) {
  MakeLarge(other());
  MountAndKnow();
  ExpectGivenUp("export --timeout 3 '" + other() + "' '" + mount_point() + "/a.tar'");
  ExpectGivenUp("get --timeout 3 '" + other() + "' large > '" + mount_point() + "/b'");
}

TEST_F(DaemonFallsSilent, EndsWhatUsesAStoreInItsMount) {
  MakeTree(60'000);
  MountAndKnow();
  RunKvfs({"create", mount_point() + "/inner"});  // with a warning
  ExpectGivenUp("bench --timeout 3 '" + mount_point() + "'");
  ExpectGivenUp("import --timeout 3 '" + Path("tree") + "' '" + mount_point() + "/inner'");
}

TEST_F(DaemonFallsSilent, AndGoesOnLater) {
  MakeTree(3'000);
  Run({"import", Path("tree"), store()});
  MountAndKnow();
  const std::string pid = std::to_string(daemon_);
  const ProgramRun run =
      RunShell("'" + ProgramPath() + "' import '" + mount_point() + "' '" + other() +
               "' & kill -STOP " + pid + "; sleep 3; kill -CONT " + pid + "; wait $!");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(RunShell("'" + ProgramPath() + "' ls '" + other() + "' | wc -l").out, "3000\n");
}

TEST_F(DaemonFallsSilent, AndASignalStillEndsTheCommand) {
  MakeTree(10'000);
  Run({"import", Path("tree"), store()});
  MountAndKnow();
  const ProgramRun run = StopInTheMiddleOf("import --timeout 0 '" + mount_point() + "' '" +
                                           other() + "' & sleep 2; kill -TERM $!; wait $!");
  EXPECT_TRUE(run.out.ends_with("\n12\n")) << run.out;
}

// The process that the caller knows passes the signal on.
TEST_F(DaemonFallsSilent, ASignalReachesACommandThatIsWatched) {
  MakeTree(20'000);
  Run({"import", Path("tree"), store()});
  MountAndKnow();
  const ProgramRun run = RunShell("'" + ProgramPath() + "' import '" + mount_point() + "' '" +
                                  other() + "' & until grep -q import '" + other() +
                                  "/lock'; do :; done; sleep 0.5; kill -TERM $!; wait $!");
  EXPECT_EQ(run.status, 15) << run.err;
  EXPECT_NE(run.err.find("entries are in the store"), std::string::npos) << run.err;
}

// The system delivers it to both processes, and the watcher passes it on to the worker, too.
TEST_F(DaemonFallsSilent, ASignalToTheGroupOfAWatchedCommandIsOne) {
  MakeTree(60'000);
  Run({"import", Path("tree"), store()});
  MountAndKnow();
  for (int round = 0; round < 8; ++round) {
    const ProgramRun run =
        RunShell("setsid '" + ProgramPath() + "' import --into " + std::to_string(round) + " '" +
                 mount_point() + "' '" + other() + "' & until grep -q import '" + other() +
                 "/lock'; do :; done; sleep 0.2; /bin/kill -TERM -- -$!; wait $!");
    EXPECT_EQ(run.status, 15) << run.err;
    EXPECT_NE(run.err.find("entries are in the store"), std::string::npos) << run.err;
  }
}

TEST_F(DaemonFallsSilent, AnIgnoredSignalDoesNotShortenTheWait) {
  MakeTree(10'000);
  Run({"import", Path("tree"), store()});
  MountAndKnow();
  const std::string pid = std::to_string(daemon_);
  const ProgramRun run = RunShell("(trap '' HUP; exec '" + ProgramPath() + "' import '" +
                                  mount_point() + "' '" + other() + "') & until grep -q import '" +
                                  other() + "/lock'; do :; done; kill -HUP $!; kill -STOP " + pid +
                                  "; sleep 2.5; kill -CONT " + pid + "; wait $!");
  EXPECT_EQ(run.status, 0) << run.err;
}

TEST_F(DaemonFallsSilent, AWatchedCommandEndsWhereTheCallerIgnoresTheEndOfChildren) {
  Put("key", "value");
  MountAndKnow();
  const ProgramRun run =
      RunShell("(trap '' CHLD; exec timeout 20 '" + ProgramPath() + "' put --file '" +
               mount_point() + "/key' '" + other() + "' key) & wait $!");
  EXPECT_EQ(run.status, 0) << run.err;
}

}  // namespace
}  // namespace kvfs::cli
