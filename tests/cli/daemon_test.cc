// What the caller of a process in the background gets to know.

#include "cli/daemon.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace kvfs::cli {
namespace {

TEST(RunInBackground, ReturnsWhenTheWorkIsReady) {
  EXPECT_TRUE(RunInBackground([](const Ready& ready) -> Outcome {
    ready();
    return {};
  }));
}

TEST(RunInBackground, TellsWhyTheWorkIsNotReady) {
  const Outcome outcome = RunInBackground(
      [](const Ready&) { return Outcome(Stop(ExitCode::kStoreCorrupt, "all is lost")); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ExitCode::kStoreCorrupt);
  EXPECT_EQ(outcome.error().text, "all is lost");
}

TEST(RunInBackground, KeepsALongReason) {
  const std::string reason(60'000, 'x');
  const Outcome outcome =
      RunInBackground([&](const Ready&) { return Outcome(Stop(ExitCode::kStoreInUse, reason)); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text, reason);
}

TEST(RunInBackground, NoticesAKilledChild) {
  const Outcome outcome = RunInBackground([](const Ready&) -> Outcome {
    ::raise(SIGKILL);
    return {};
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ExitCode::kMountFailed);
  EXPECT_NE(outcome.error().text.find("signal 9"), std::string::npos) << outcome.error().text;
}

TEST(RunInBackground, NoticesAChildThatSaysNothing) {
  const Outcome outcome = RunInBackground([](const Ready&) { return Outcome(); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ExitCode::kMountFailed);
}

TEST(RunInBackground, TheWorkHasASessionOfItsOwn) {
  const pid_t session = ::getsid(0);
  EXPECT_TRUE(RunInBackground([&](const Ready& ready) -> Outcome {
    if (::getsid(0) == session) return Stop(ExitCode::kIoFailed, "the caller's session");
    ready();
    return {};
  }));
}

TEST(RunInBackground, TheWorkHasNoDescriptorOfTheCallerButTheStandardOnes) {
  const int callers = ::open("/dev/null", O_RDONLY);
  ASSERT_GT(callers, STDERR_FILENO);
  EXPECT_TRUE(RunInBackground([&](const Ready& ready) -> Outcome {
    if (::fcntl(callers, F_GETFD) >= 0) return Stop(ExitCode::kIoFailed, "it is open");
    ready();
    return {};
  }));
  ::close(callers);
}

}  // namespace
}  // namespace kvfs::cli
