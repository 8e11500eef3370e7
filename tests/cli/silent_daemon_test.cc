// A daemon that is alive and does not answer: commands wait for a minute, say so, and give up.
#include <csignal>

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
  void TearDown() override { ::kill(daemon_, SIGCONT); }

  pid_t daemon_ = 0;
};

TEST_F(SilentDaemon, IsWaitedForAMinuteAndNotForEver) {
  const std::string pid = std::to_string(daemon_);
  const ProgramRun run = RunKvfs({"get", store(), "foo"});
  EXPECT_EQ(run.status, 12);
  EXPECT_NE(run.err.find("in use by process " + pid + ", a daemon that does not answer; waiting"),
            std::string::npos)
      << run.err;
  EXPECT_NE(run.err.find("its daemon does not answer\n"), std::string::npos) << run.err;
  ::kill(daemon_, SIGCONT);
  EXPECT_EQ(RunKvfs({"get", store(), "foo"}).out, "bar\n");
}

}  // namespace
}  // namespace kvfs::cli
