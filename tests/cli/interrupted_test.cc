// Long commands interrupted by a signal: each reports its progress and what is left behind, with
// the exit status for it. A signal is sent once the command catches it.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

constexpr int kEntries = 1500;
constexpr size_t kEntryBytes = 20'000;

// The program itself, not the shell that will exec it.
bool Catches(pid_t process, int signal) {
  std::string name;
  std::getline(std::ifstream("/proc/" + std::to_string(process) + "/comm"), name);
  if (name != "kvfs") return name.empty();
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigCgt:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return true;  // it has ended
}

class Interrupted : public StoreFixture, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    stdfs::create_directory(Path("tree"));
    for (int i = 0; i < kEntries; ++i) {
      std::ofstream(Path("tree") + "/file" + std::to_string(i)) << std::string(kEntryBytes, 'x');
    }
    Run({"import", "--create", Path("tree"), store()});
  }
  // Runs the command with the given streams, and sends it the signal while it works.
  ProgramRun RunAndSignal(const std::string& command, int signal) {
    const std::string line = "exec '" + ProgramPath() + "' " + command + " > '" + Path("out") +
                             "' 2> '" + Path("err") + "'";
    const pid_t process = ::fork();
    if (process == 0) {
      ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      ::_exit(1);
    }
    while (!Catches(process, signal)) std::this_thread::sleep_for(std::chrono::microseconds(200));
    ::kill(process, signal);
    ProgramRun run;
    run.status = AwaitExit(process);
    run.err = RunShell("cat '" + Path("err") + "'").out;
    return run;
  }
  void ExpectEnds(const std::string& command, int status, const std::vector<std::string>& words) {
    const ProgramRun run = RunAndSignal(command, GetParam());
    EXPECT_EQ(run.status, status) << command << ": " << run.err;
    for (const std::string& word : words) {
      EXPECT_NE(run.err.find(word), std::string::npos) << word << " is not in: " << run.err;
    }
  }
  void ExpectWhole() { EXPECT_EQ(RunKvfs({"check", store()}).status, 0); }
};

TEST_P(Interrupted, ExportToATreeTellsWhatIsLeft) {
  ExpectEnds("export --to tree " + store() + " " + Path("copy"), 15,
             {"interrupted by a signal; stopped after ",
              Path("copy") + " holds no complete copy: empty it before the next export"});
}

TEST_P(Interrupted, ExportToAFileMakesNone) {
  ExpectEnds("export " + store() + " " + Path("copy.tar"), 15,
             {"stopped after ", "created no file"});
  EXPECT_FALSE(stdfs::exists(Path("copy.tar")));
  EXPECT_EQ(RunShell("ls -A '" + directory() + "' | grep -c copy").out, "0\n");
}

TEST_P(Interrupted, ImportTellsHowMuchIsIn) {
  ExpectEnds("import --create " + Path("tree") + " " + Path("other"), 15,
             {"interrupted by a signal", "entries are in the store"});
  EXPECT_EQ(RunKvfs({"check", Path("other")}).status, 0);
}

TEST_P(Interrupted, RepairNamesTheStoreThatIsNotWhole) {
  ExpectEnds("repair " + store() + " " + Path("new"), 15,
             {"interrupted by a signal; stopped after ", Path("new") + " is not a complete store"});
  ExpectWhole();
}

TEST_P(Interrupted, DeletionTellsThatItIsNotDone) {
  const std::string top = RunKvfs({"ls", store()}).out;
  ExpectEnds("del -r " + store() + " " + top.substr(0, top.find('\n')), 15,
             {"interrupted by a signal; keys deleted before", "the others remain"});
  ExpectWhole();
}

TEST_P(Interrupted, CheckSaysThatItSawNotAll) {
  ExpectEnds("check " + store(), 32, {"was interrupted by a signal, after ", "nothing was found"});
}

TEST_P(Interrupted, CompactionLeavesAWholeStore) {
  ExpectEnds("compact " + store(), 15, {"was interrupted by a signal", "nothing is lost"});
  ExpectWhole();
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupted, testing::Values(SIGHUP, SIGINT, SIGTERM),
                         [](const auto& tested) {
                           return std::string(sigabbrev_np(tested.param));
                         });

// With closed output, the new store is still completed.
TEST_F(StoreFixture, ARepairWhoseOutputIsNotReadIsMadeWhole) {
  Create();
  Put("foo", "bar");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t process = ::fork();
  if (process == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    const std::string target = Path("new");
    ::execl(ProgramPath().c_str(), "kvfs", "repair", store().c_str(), target.c_str(), nullptr);
    ::_exit(1);
  }
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(AwaitExit(process), 12);
  EXPECT_EQ(RunKvfs({"get", Path("new"), "foo"}).out, "bar");
}

}  // namespace
}  // namespace kvfs::cli
