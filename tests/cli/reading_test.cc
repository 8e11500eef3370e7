// Commands that read a store without a daemon: they write nothing, run concurrently, and no command
// keeps the store open while it waits for input or output.
#include <sys/mount.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/mounts/lock_file.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

class Reading : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    Put("foo", "bar");
  }
  std::string Program() const { return "timeout 50 '" + ProgramPath() + "'"; }
  std::string FilesOfStore() {
    return RunShell("cd '" + store() +
                    "' && find . -type f | sort | xargs sha256sum; ls -lR --full-time")
        .out;
  }
  void ExpectOutput(const std::string& command, const std::string& output) {
    const ProgramRun run = RunShell(command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
    EXPECT_EQ(run.out, output) << command;
  }
  void ReadInEachWay(const std::string& where) {
    for (const char* command : {"get @ foo", "ls @", "ls -l @", "stat @ foo", "find @", "stats @",
                                "check @", "export @ - > /dev/null"}) {
      std::string line = command;
      line.replace(line.find('@'), 1, "'" + where + "'");
      const ProgramRun run = RunShell(Program() + " " + line);
      EXPECT_EQ(run.status, 0) << line << ": " << run.err;
    }
  }
};

TEST_F(Reading, ChangesNothing) {
  const std::string before = FilesOfStore();
  ReadInEachWay(store());
  EXPECT_EQ(FilesOfStore(), before);
}

TEST_F(Reading, ChangesNothingOfAStoreThatWasNotClosed) {
  Mount();
  Shell("echo new > later");
  KillDaemon();
  ASSERT_EQ(::umount2(mount_point().c_str(), MNT_DETACH), 0);
  const std::string before = FilesOfStore();
  ReadInEachWay(store());
  ExpectValue("later", "new\n");
  EXPECT_EQ(FilesOfStore(), before);
}

TEST_F(Reading, ShowsAnEmptyStoreThatNobodyHasWrittenTo) {
  Run({"create", Path("empty")});
  EXPECT_EQ(Output({"ls", Path("empty")}), "");
  EXPECT_NE(Output({"ls", "-l", "--json", Path("empty")}), "\n");
  EXPECT_NE(Output({"stat", Path("empty"), "/"}).find("directory"), std::string::npos);
  ExpectFailure({"get", Path("empty"), "foo"}, 11, {"no such key"});
}

TEST_F(Reading, WorksOnAReadOnlyMedium) {
  const std::string place = Path("medium");
  std::filesystem::create_directory(place);
  ASSERT_EQ(::mount(store().c_str(), place.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, place.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  ReadInEachWay(place);
  ExpectFailure({"put", place, "foo", "x"}, 12, {"Read-only file system"});
  ::umount2(place.c_str(), MNT_DETACH);
}

TEST_F(Reading, StandsBesideOthersThatRead) {
  // The first has read everything, and waits for its output to be consumed.
  ExpectOutput("head -c 20000000 /dev/zero | " + Program() + " put '" + store() + "' large && " +
                   Program() + " get '" + store() + "' large | { head -c 1 > /dev/null; " +
                   Program() + " get --timeout 2 '" + store() + "' foo; cat > /dev/null; }",
               "bar");
}

TEST_F(Reading, LetsAWriterInWhileItsOutputIsNotTaken) {
  for (const char* command : {"get @ large", "export @ -", "export --to jsonl @ -"}) {
    std::string reader = command;
    reader.replace(reader.find('@'), 1, "'" + store() + "'");
    ExpectOutput("head -c 20000000 /dev/zero | tr '\\0' x | " + Program() + " put '" + store() +
                     "' large && " + Program() + " " + reader + " | { head -c 1 > /dev/null; " +
                     Program() + " put --timeout 20 '" + store() + "' foo new; echo $?; " +
                     "wc -c > '" + Path("rest") + "'; }",
                 "0\n");
    EXPECT_GT(std::stoll(RunShell("cat '" + Path("rest") + "'").out), 19'999'990) << command;
  }
}

TEST_F(Reading, ALongListingLetsAWriterIn) {
  ASSERT_EQ(RunShell("seq -f 'put a-name-of-some-length-%.0f x' 9000 | " + Program() + " batch '" +
                     store() + "'")
                .status,
            0);
  for (const char* command : {"ls", "find", "ls -l"}) {
    ExpectOutput(Program() + " " + command + " '" + store() + "' | { head -c 1 > /dev/null; " +
                     Program() + " put --timeout 20 '" + store() +
                     "' foo new; echo $?; cat | tail -c 1; }",
                 "0\n\n");
  }
}

// Input from a FIFO that another process has open, and writes to later.
TEST_F(Reading, NobodyWaitsForWhoeverWaitsForInput) {
  for (const char* command : {"put @ slow", "append @ log", "import --from jsonl - @"}) {
    std::string writer = command;
    writer.replace(writer.find('@'), 1, "'" + store() + "'");
    ExpectOutput("{ sleep 3; printf '{\"path\":\"late\",\"value\":\"x\"}\\n'; } | " + Program() +
                     " " + writer + " & sleep 1.5; " + Program() + " get --timeout 1 '" + store() +
                     "' foo; " + Program() + " put --timeout 1 '" + store() + "' other x; wait",
                 "bar");
  }
  EXPECT_NE(Output({"get", store(), "slow"}).find("late"), std::string::npos);
  EXPECT_NE(Output({"get", store(), "log"}).find("late"), std::string::npos);
  ExpectValue("late", "x");
}

TEST_F(Reading, AnImportGoesOnAfterItsSourceHasPaused) {
  ExpectOutput(
      "{ for i in 1 2 3; do printf '{\"path\":\"d/%s\",\"value\":\"x\"}\\n' $i; sleep 1; "
      "done; } | " +
          Program() + " import --from jsonl - '" + store() + "'",
      "");
  EXPECT_EQ(Output({"ls", store(), "d"}).size(), 6u);
}

TEST_F(Reading, ALargeValueFromAPipeArrivesWhole) {
  ExpectOutput("seq 10000000 > '" + Path("numbers") + "'; cat '" + Path("numbers") + "' | " +
                   Program() + " put '" + store() + "' numbers && " + Program() + " get '" +
                   store() + "' numbers | cmp - '" + Path("numbers") + "' && ls -A '" + store() +
                   "' | grep -c tmp; true",
               "0\n");
}

// Without turns, there would hardly be a moment without readers.
TEST_F(Reading, ManyReadersDoNotKeepAWriterOut) {
  ExpectOutput("for i in 1 2 3 4 5 6; do while test ! -e '" + Path("done") + "'; do " + Program() +
                   " get '" + store() +
                   "' foo > /dev/null; done & done; sleep 0.5; for n in 1 2 3; do " + Program() +
                   " put --timeout 30 '" + store() + "' other $n || echo kept out; done; " +
                   "touch '" + Path("done") + "'; wait",
               "");
}

}  // namespace
}  // namespace kvfs::cli
