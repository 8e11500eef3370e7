// What the caller of a background process learns of its start.

#include "cli/daemon/background.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_directory.h"

namespace kvfs::cli {
namespace {

TEST(RunInBackground, ReturnsWhenTheWorkIsReady) {
  EXPECT_TRUE(RunInBackground([](const Ready& ready) -> CommandResult<> {
    ready();
    return {};
  }));
}

TEST(RunInBackground, TellsWhyTheWorkIsNotReady) {
  const CommandResult<> outcome = RunInBackground(
      [](const Ready&) { return CommandResult<>(Fail(ExitCode::kStoreCorrupt, "all is lost")); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ExitCode::kStoreCorrupt);
  EXPECT_EQ(outcome.error().text, "all is lost");
}

TEST(RunInBackground, KeepsALongReason) {
  const std::string reason(60'000, 'x');
  const CommandResult<> outcome = RunInBackground(
      [&](const Ready&) { return CommandResult<>(Fail(ExitCode::kStoreInUse, reason)); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text, reason);
}

TEST(RunInBackground, NoticesAKilledChild) {
  const CommandResult<> outcome = RunInBackground([](const Ready&) -> CommandResult<> {
    ::raise(SIGKILL);
    return {};
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ExitCode::kMountFailed);
  EXPECT_NE(outcome.error().text.find("signal 9"), std::string::npos) << outcome.error().text;
}

TEST(RunInBackground, NoticesAChildThatSaysNothing) {
  const CommandResult<> outcome = RunInBackground([](const Ready&) { return CommandResult<>(); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ExitCode::kMountFailed);
}

TEST(RunInBackground, TheWorkHasASessionOfItsOwn) {
  const pid_t session = ::getsid(0);
  EXPECT_TRUE(RunInBackground([&](const Ready& ready) -> CommandResult<> {
    if (::getsid(0) == session) return Fail(ExitCode::kIoFailed, "the caller's session");
    ready();
    return {};
  }));
}

TEST(RunInBackground, TheWorkHasNoDescriptorOfTheCallerButTheStandardOnes) {
  const int callers = ::open("/dev/null", O_RDONLY);
  ASSERT_GT(callers, STDERR_FILENO);
  EXPECT_TRUE(RunInBackground([&](const Ready& ready) -> CommandResult<> {
    if (::fcntl(callers, F_GETFD) >= 0) return Fail(ExitCode::kIoFailed, "it is open");
    ready();
    return {};
  }));
  ::close(callers);
}

// Runs work in the background of a *caller*, a separate process that can be stopped and killed.
// Both sides signal each other with files.
class KilledCaller : public testing::Test {
 protected:
  // The background process becomes the test's child when the caller has died.
  KilledCaller() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

  void Call(const Work& work) {
    caller_ = ::fork();
    if (caller_ != 0) return;
    static_cast<void>(RunInBackground([&](const Ready& ready) {
      std::ofstream(File("new")) << ::getpid();
      std::filesystem::rename(File("new"), File("pid"));
      return work(ready);
    }));
    Tell("heard");
    while (true) ::pause();
  }
  std::string File(const std::string& name) const { return directory_.path() + "/" + name; }
  void Await(const std::string& name) const {
    while (!std::filesystem::exists(File(name))) ::usleep(1'000);
  }
  void Tell(const std::string& name) const { std::ofstream(File(name)) << name; }
  void Signal(int signal) const { ::kill(caller_, signal); }
  // The status with which the background process exits.
  int KillAndAwaitWork() {
    Await("pid");
    pid_t work = 0;
    std::ifstream(File("pid")) >> work;
    int status = 0;
    Signal(SIGKILL);
    ::waitpid(caller_, &status, 0);
    Tell("killed");
    EXPECT_EQ(::waitpid(work, &status, 0), work);
    return status;
  }

 private:
  TemporaryDirectory directory_;
  pid_t caller_ = 0;
};

TEST_F(KilledCaller, WorkThatHasNotReportedIsEnded) {
  Call([](const Ready&) -> CommandResult<> {
    while (true) ::pause();
  });
  const int status = KillAndAwaitWork();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

TEST_F(KilledCaller, AReportThatHasNotBeenHeardIsNone) {
  Call([this](const Ready& ready) -> CommandResult<> {
    Await("stopped");
    if (ready()) return {};
    return Fail(ExitCode::kIoFailed, "nobody waits");
  });
  Await("pid");
  Signal(SIGSTOP);
  Tell("stopped");
  ::usleep(50'000);  // time to send the report, or not: both end the same way
  const int status = KillAndAwaitWork();
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::kIoFailed));
}

// The caller may die before it exits by itself: the start was reported, so the mount stays, and
// `kvfs status` shows it.
TEST_F(KilledCaller, AReportThatHasBeenHeardStands) {
  Call([this](const Ready& ready) -> CommandResult<> {
    if (!ready()) return Fail(ExitCode::kIoFailed, "nobody waits");
    Await("killed");
    return {};
  });
  Await("heard");
  const int status = KillAndAwaitWork();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace kvfs::cli
