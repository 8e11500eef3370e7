// Mounts that another mount namespace has copied, as sandboxes and containers do: such a copy
// cannot be unmounted from here, and must not block the daemon, or commands that wait for it,
// without end.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

class CopiedMount : public StoreFixture {
 protected:
  void SetUp() override { Create(); }

  // A process in a separate mount namespace, with a file of the mount open.
  void Copy() {
    Shell("echo bar > foo");
    copy_ = ::fork();
    if (copy_ == 0) {
      const bool is_apart = ::unshare(CLONE_NEWNS) == 0 &&
                            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
      _exit(is_apart ? ::pause() : 1);
    }
    const std::string own = "/proc/" + std::to_string(copy_) + "/ns/mnt";
    while (std::filesystem::read_symlink(own) ==
           std::filesystem::read_symlink("/proc/self/ns/mnt")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    // It may not have made its mounts private yet.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  void TearDown() override {
    if (copy_ == 0) return;
    ::kill(copy_, SIGKILL);
    ::waitpid(copy_, nullptr, 0);
  }

  pid_t copy_ = 0;
};

TEST_F(CopiedMount, DoesNotKeepTheDaemonFromEndingAtASignal) {
  const pid_t daemon = StartKvfs({"mount", "-f", store(), mount_point()});
  AwaitMount();
  Copy();
  ASSERT_EQ(::kill(daemon, SIGTERM), 0);
  EXPECT_EQ(AwaitExit(daemon), 0);
  ExpectMounted(false);
  ExpectValue("foo", "bar\n");
}

TEST_F(CopiedMount, DoesNotKeepAnUnmountForEver) {
  Mount();
  const std::string pid = std::to_string(DaemonPid());
  Copy();
  const ProgramRun run =
      RunShell("timeout 50 '" + ProgramPath() + "' unmount --timeout 2 '" + mount_point() + "'");
  EXPECT_EQ(run.status, 3) << run.err;
  EXPECT_NE(run.err.find("waiting, 2 seconds at most"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("`kill " + pid + "` ends it cleanly"), std::string::npos) << run.err;
  ExpectMounted(false);
  ASSERT_EQ(RunShell("kill " + pid).status, 0);
  ExpectValue("foo", "bar\n");
}

TEST_F(CopiedMount, AtAnotherPlaceHereIsNamed) {
  Mount();
  const std::string other = Path("bound");
  std::filesystem::create_directory(other);
  ASSERT_EQ(::mount(mount_point().c_str(), other.c_str(), nullptr, MS_BIND, nullptr), 0);
  const ProgramRun run = RunKvfs({"unmount", "--timeout", "2", mount_point()});
  EXPECT_EQ(run.status, 3) << run.err;
  EXPECT_NE(run.err.find("is still mounted on " + other), std::string::npos) << run.err;
  const ProgramRun last = RunKvfs({"unmount", other});
  EXPECT_EQ(last.status, 0) << last.err;
}

TEST_F(CopiedMount, IsCutOffByForce) {
  Mount();
  Copy();
  const ProgramRun run = RunKvfs({"unmount", "--force", mount_point()});
  EXPECT_EQ(run.status, 0) << run.err;
  ExpectMounted(false);
  ExpectValue("foo", "bar\n");
}

// Unsynced writes to mapped memory, and a daemon that does not answer: the second signal ends what
// the first one must wait for.
TEST_F(CopiedMount, ASecondSignalDoesNotWaitForWhatIsToBeWritten) {
  const pid_t daemon = StartKvfs({"mount", "-f", store(), mount_point()});
  AwaitMount();
  Shell("echo bar > foo");
  ASSERT_EQ(::kill(daemon, SIGTERM), 0);
  ASSERT_EQ(::kill(daemon, SIGTERM), 0);
  EXPECT_EQ(AwaitExit(daemon), 0);
  ExpectMounted(false);
  ExpectValue("foo", "bar\n");
}

}  // namespace
}  // namespace kvfs::cli
