// A mount as a service: notifications to systemd, idle unmounting, installation.

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/mounts/lock_file.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class Service : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
};

// The receiver of sd_notify(3). Its name is abstract: a path of a test is too long for a socket.
class NotifySocket {
 public:
  NotifySocket() : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    const std::string name = "@kvfs-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    const timeval patience = {60, 0};  // fail instead of waiting without end
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~NotifySocket() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  std::string Receive() const {
    char text[100];
    const ssize_t length = ::recv(socket_, text, sizeof text, 0);
    return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
  }

 private:
  int socket_;
};

TEST_F(Service, SystemdHearsOfTheBeginningAndTheEnd) {
  const NotifySocket socket;
  const pid_t daemon = StartKvfs({"mount", "--foreground", store(), mount_point()});
  EXPECT_EQ(socket.Receive(), "READY=1");
  ExpectMounted(true);
  ASSERT_EQ(::kill(daemon, SIGTERM), 0);
  EXPECT_EQ(socket.Receive(), "STOPPING=1");
  EXPECT_EQ(AwaitExit(daemon), 0);
}

TEST_F(Service, AMountThatNobodyUsesIsUnmounted) {
  const ProgramRun run = RunKvfs({"mount", "-o", "idle=1", store(), mount_point()});
  ASSERT_EQ(run.status, 0) << run.err;
  Put("foo", "bar");
  while (IsHeld(store())) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ExpectMounted(false);
  ExpectValue("foo", "bar");
}

TEST_F(Service, AMountWithAnOpenFileIsNotIdle) {
  Run({"mount", "-o", "idle=1", store(), mount_point()});
  RunShell("exec 5> '" + mount_point() + "/foo'; sleep 2.5; grep -q '" + mount_point() +
           "' /proc/self/mounts && echo bar >&5");
  while (IsHeld(store())) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ExpectValue("foo", "bar\n");
}

TEST_F(Service, AnIdleTimeIsANumberOfSeconds) {
  for (const char* option : {"idle=0", "idle=-1", "idle=x", "idle="}) {
    ExpectFailure({"mount", "-o", option, store(), mount_point()}, 1, {"idle"});
  }
}

// The program, its other names and its documents, below a directory, as in a package.
class Installation : public Service {
 protected:
  ProgramRun Install(const std::string& more = {}) {
    return RunShell("./install --prefix /usr --destdir '" + root() + "' " + more);
  }
  std::string root() const { return directory() + "/root"; }
};

TEST_F(Installation, InstalledFilesWorkAndGoAgain) {
  const ProgramRun installed = Install();
  ASSERT_EQ(installed.status, 0) << installed.err;
  for (const char* file :
       {"bin/kvfs", "share/man/man1/kvfs.1", "share/man/man5/kvfs.5", "share/man/man8/mount.kvfs.8",
        "share/man/man8/fsck.kvfs.8", "share/bash-completion/completions/kvfs",
        "lib/systemd/system/kvfs@.service"}) {
    EXPECT_TRUE(stdfs::exists(root() + "/usr/" + file)) << file;
  }
  EXPECT_EQ(RunShell("'" + root() + "/usr/sbin/mount.kvfs' '" + store() + "' '" + mount_point() +
                     "' -o rw,nofail")
                .status,
            0);
  ExpectMounted(true);
  EXPECT_EQ(RunShell("'" + root() + "/usr/sbin/fsck.kvfs' -a '" + store() + "'").status, 0);
  EXPECT_EQ(Install("--uninstall").status, 0);
  EXPECT_EQ(RunShell("find '" + root() + "' ! -type d").out, "");
}

TEST_F(Installation, ManualPagesHaveNoFaults) {
  ASSERT_EQ(Install().status, 0);
  for (const char* page : {"man1/kvfs.1", "man5/kvfs.5", "man8/mount.kvfs.8", "man8/fsck.kvfs.8"}) {
    const std::string file = root() + "/usr/share/man/" + page;
    EXPECT_EQ(RunShell("groff -man -ww -Tutf8 '" + file + "' 2>&1 >/dev/null").out, "") << page;
    EXPECT_EQ(RunShell("grep -q '^.SH NAME' '" + file + "'").status, 0) << page;
  }
}

TEST_F(Installation, TheUnitNamesTheInstalledProgram) {
  ASSERT_EQ(Install().status, 0);
  const std::string unit = root() + "/usr/lib/systemd/system/kvfs@.service";
  EXPECT_EQ(RunShell("grep -c '^ExecStart=/usr/bin/kvfs mount --foreground' '" + unit + "'").out,
            "1\n");
}

TEST_F(Installation, SystemdAcceptsTheUnit) {
  const std::string prefix = directory() + "/usr";
  ASSERT_EQ(RunShell("./install --prefix '" + prefix + "'").status, 0);
  const ProgramRun run = RunShell("systemd-analyze verify --man=no '" + prefix +
                                  "/lib/systemd/system/kvfs@.service' 2>&1");
  EXPECT_EQ(run.status, 0) << run.out;
  EXPECT_EQ(run.out, "");
}

TEST_F(Installation, TheUnitIsFenced) {
  const std::string prefix = directory() + "/usr";
  ASSERT_EQ(RunShell("./install --prefix '" + prefix + "'").status, 0);
  const std::string unit = prefix + "/lib/systemd/system/kvfs@.service";
  const ProgramRun run =
      RunShell("systemd-analyze security --offline=true --threshold=40 '" + unit + "' 2>&1");
  EXPECT_EQ(run.status, 0) << run.out;
  EXPECT_EQ(RunShell("grep -c '^OOMScoreAdjust=-' '" + unit + "'").out, "1\n");
  // Settings that would give it a mount namespace, so that no other process sees the mount.
  EXPECT_EQ(
      RunShell("grep -E '^(ProtectSystem|ProtectHome|ProtectKernel|ProtectControl|ProtectProc|"
               "ProcSubset|Private|ReadOnly|ReadWrite|Inaccessible|Bind|Temporary|Root|Mount"
               "Flags|DynamicUser)' '" +
               unit + "'")
          .out,
      "");
}

TEST_F(Installation, ADaemonInsideTheFenceServes) {
  const std::string prefix = directory() + "/usr";
  ASSERT_EQ(RunShell("./install --prefix '" + prefix + "'").status, 0);
  const std::string unit = prefix + "/lib/systemd/system/kvfs@.service";
  const ProgramRun run =
      RunShell("caps=$(sed -n 's/^CapabilityBoundingSet=//p' '" + unit +
               "' | tr A-Z a-z | sed 's/ *cap_/,+/g'); cd '" + directory() +
               "' && { setpriv --no-new-privs --bounding-set=-all$caps '" + ProgramPath() +
               "' mount -f -o allow_other store mnt & for i in $(seq 1000); do "
               "grep -q \" $PWD/mnt fuse\" /proc/self/mounts && break; sleep 0.01; done; "
               "grep -x 'CapBnd:\t0000000000200003' /proc/$!/status | wc -l; "
               "echo value > mnt/key && chmod 600 mnt/key && mkdir mnt/d && "
               "cat mnt/key && '" +
               ProgramPath() + "' unmount mnt && wait; }");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_NE(run.out.find("value\n"), std::string::npos) << run.err;
}

TEST_F(Installation, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(Install("--frob").status, 1);
  EXPECT_EQ(RunShell("./install --prefix relative").status, 1);
}

}  // namespace
}  // namespace kvfs::cli
