// A command has one limit for all its waits. Tests pretend that time has passed, so that none
// waits.
#include "cli/base/waiting.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kvfs::cli {
namespace {

using std::chrono::seconds;

class WaitingTest : public testing::Test {
 protected:
  void SetUp() override {
    SetWaitLimit(seconds(1000));
    RenewWaits();
  }
  // Waits this long at once; returns whether it may wait longer.
  static bool Wait(seconds time) {
    Waiting waiting([] { return std::string("something is slow"); }, time);
    return waiting.GoesOn();
  }
};

TEST_F(WaitingTest, EndsAtTheLimit) {
  EXPECT_TRUE(Wait(seconds(900)));
  RenewWaits();
  EXPECT_FALSE(Wait(seconds(1000)));
}

TEST_F(WaitingTest, LacksWhatEarlierWaitsHaveTaken) {
  EXPECT_TRUE(Wait(seconds(600)));
  EXPECT_TRUE(Wait(seconds(300)));
  EXPECT_FALSE(Wait(seconds(100)));
  EXPECT_FALSE(Wait(seconds(0)));
}

TEST_F(WaitingTest, TellsWhatIsLeft) {
  EXPECT_TRUE(Wait(seconds(600)));
  testing::internal::CaptureStderr();
  EXPECT_TRUE(Wait(seconds(2)));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("waiting, 400 seconds at most"),
            std::string::npos);
}

TEST_F(WaitingTest, CountsAWaitWithinAnotherOnce) {
  Waiting outer([] { return std::string("all of it"); }, seconds(600));
  EXPECT_TRUE(outer.GoesOn());
  EXPECT_TRUE(Wait(seconds(300)));
  EXPECT_TRUE(outer.GoesOn());
  EXPECT_TRUE(Wait(seconds(0)));
}

TEST_F(WaitingTest, BeginsAnewWhereWorkHasGotOn) {
  EXPECT_FALSE(Wait(seconds(1000)));
  RenewWaits();
  EXPECT_TRUE(Wait(seconds(900)));
}

TEST_F(WaitingTest, ToldHowLongItWas) {
  EXPECT_EQ(WithWaited("it is silent"), "it is silent");
  EXPECT_TRUE(Wait(seconds(1)));
  EXPECT_EQ(WithWaited("it is silent"), "it is silent, waited 1 second");
  EXPECT_FALSE(Wait(seconds(999)));
  EXPECT_TRUE(IsWaitLimitReached());
  EXPECT_EQ(WithWaited("it is silent"), "it is silent, waited 1000 seconds");
}

TEST_F(WaitingTest, IsOneForProcessesThatShareIt) {
  ShareWaits();
  EXPECT_FALSE(DoesOtherWait());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(Wait(seconds(600)) && Wait(seconds(300)) ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(DoesOtherWait());
  EXPECT_TRUE(Wait(seconds(50)));
  EXPECT_FALSE(DoesOtherWait());
  EXPECT_FALSE(Wait(seconds(50)));
}

TEST_F(WaitingTest, WithoutALimitHasNoEnd) {
  SetWaitLimit(seconds(0));
  EXPECT_TRUE(Wait(seconds(1'000'000)));
  EXPECT_TRUE(Wait(seconds(1'000'000)));
}

}  // namespace
}  // namespace kvfs::cli
