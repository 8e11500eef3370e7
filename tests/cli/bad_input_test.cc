// Failures caused by the environment: each has an exit status and a message that names the object
// and the remedy, and none changes anything.

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/ordinary_user.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class BadInput : public OrdinaryUser {
 protected:
  void SetUp() override {
    OrdinaryUser::SetUp();
    if (IsSkipped()) return;
    Create();
    Put("kept", "value");
    Put("large", std::string(100'000, 'x'));
  }

  // The contents of the store, and the result of a check.
  static std::string StateOf(const std::string& store) {
    return RunKvfs({"export", "--to", "jsonl", store}).out +
           std::to_string(RunKvfs({"check", store}).status);
  }
  void ExpectFailureWithoutChange(const std::vector<std::string>& arguments, int status,
                                  const std::vector<std::string>& named) {
    const std::string before = StateOf(store());
    ExpectFailure(arguments, status, named);
    EXPECT_TRUE(StateOf(store()) == before) << arguments[0];
    ExpectMounted(false);
  }
};

TEST_F(BadInput, IsNamedAndChangesNothing) {
  std::ofstream(Path("lines.jsonl")) << "{\"path\":\"kept\",\"kind\":\"file\",\"text\":\n";
  std::ofstream(Path("bad.shard0.val")) << "value";
  std::ofstream(Path("bad.shard0")) << "not smkv, but long enough to have held a header of it";
  std::ofstream(Path("batch")) << "put kept other\nfrob kept\n";
  const std::string s = store();
  ExpectFailureWithoutChange({"put", "--frob", s, "kept", "x"}, 1, {"--frob", "--help"});
  ExpectFailureWithoutChange({"frob"}, 1, {"frob", "--help"});
  ExpectFailureWithoutChange({"mount", "-o", "frob", s, mount_point()}, 1, {"frob", "--help"});
  ExpectFailureWithoutChange({"put", Path("absent"), "kept", "x"}, 2,
                             {"no store at " + Path("absent"), "kvfs create"});
  ExpectFailureWithoutChange({"mount", Path("absent"), mount_point()}, 2, {"kvfs create"});
  ExpectFailureWithoutChange({"import", "--from", "jsonl", Path("lines.jsonl"), s}, 1,
                             {"lines.jsonl", "line 1"});
  ExpectFailureWithoutChange({"import", "--from", "smkv", Path("bad"), s}, 1,
                             {"bad.shard0", "smkv"});
  ExpectFailureWithoutChange({"batch", s, Path("batch")}, 1, {});
}

TEST_F(BadInput, OfHalfATarWholeEntriesAreTaken) {
  RunShell(
      "cd '" + directory() +
      "' && mkdir t && echo 1 > t/a && seq 100000 > t/b && tar cf - t/a t/b | head -c 300000 > "
      "half.tar");
  ExpectFailure({"import", "--from", "tar", Path("half.tar"), store()}, 1,
                {"half.tar", "t/b", "in the store"});
  EXPECT_EQ(RunKvfs({"ls", "-R", store()}).out, "kept\nlarge\nt\nt/a\n");
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
}

TEST_F(BadInput, AStoreInUseIsLeftToItsUser) {
  Mount();
  const std::string before = StateOf(store());
  stdfs::create_directory(Path("other"));
  const std::string pid = std::to_string(DaemonPid());
  ExpectFailure({"mount", store(), Path("other")}, 3, {pid, mount_point()});
  ExpectFailure({"repair", store(), Path("new")}, 3, {mount_point()});
  EXPECT_FALSE(stdfs::exists(Path("new")));
  EXPECT_TRUE(StateOf(store()) == before);
  ExpectMounted(true);
}

TEST_F(BadInput, WithoutFuseThereIsNoMount) {
  const std::string bare = Path("dev/bare");
  stdfs::create_directory(bare);
  ASSERT_EQ(::mknod((bare + "/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  Cover("/dev", bare);
  ExpectFailureWithoutChange({"mount", store(), mount_point()}, 6, {"/dev/fuse", "modprobe fuse"});
  EXPECT_NE(RunKvfs({"doctor"}).out.find("problem  there is no /dev/fuse"), std::string::npos);
}

TEST_F(BadInput, WithoutTheRightThereIsNoMount) {
  const ProgramRun run = RunShell("setpriv --bounding-set=-sys_admin '" + ProgramPath() +
                                  "' mount '" + store() + "' '" + mount_point() + "'");
  EXPECT_EQ(run.status, 6) << run.err;
  EXPECT_NE(run.err.find("SYS_ADMIN"), std::string::npos) << run.err;
  const ProgramRun doctor =
      RunShell("setpriv --bounding-set=-sys_admin '" + ProgramPath() + "' doctor");
  EXPECT_EQ(doctor.status, 6);
  EXPECT_NE(doctor.out.find("problem  the kernel refuses a mount"), std::string::npos);
  ExpectMounted(false);
}

// A store on a disk of a few megabytes.
class FullDisk : public BadInput {
 protected:
  void SetUp() override {
    BadInput::SetUp();
    if (IsSkipped()) return;
    stdfs::create_directory(disk());
    ASSERT_EQ(::mount("none", disk().c_str(), "tmpfs", 0, "size=12m"), 0);
    ASSERT_EQ(RunKvfs({"create", "--shards", "1", full()}).status, 0);
    ASSERT_EQ(RunKvfs({"put", full(), "kept", "value"}).status, 0);
    std::ofstream(Path("big")) << std::string(size_t{32} << 20, 'x');
  }
  ~FullDisk() override {
    RunKvfs({"unmount", "--lazy", mount_point()});
    ::umount2(disk().c_str(), MNT_DETACH);
  }
  std::string disk() const { return Path("dev/disk"); }
  std::string full() const { return disk() + "/store"; }

  // A value that does not fit, followed by one that does.
  void ExpectRoomForSmallValuesOnly() {
    const std::string before = StateOf(full());
    ExpectFailure({"put", full(), "kept", "--file", Path("big")}, 9, {"kept", full(), "space"});
    ExpectFailure({"put", full(), "new", "--file", Path("big")}, 9, {"new", "space"});
    EXPECT_TRUE(StateOf(full()) == before);
    EXPECT_EQ(RunKvfs({"put", full(), "kept", "other"}).status, 0);
    EXPECT_EQ(RunKvfs({"del", full(), "kept"}).status, 0);
  }
};

TEST_F(FullDisk, KeepsWhatIsThere) { ExpectRoomForSmallValuesOnly(); }

TEST_F(FullDisk, KeepsWhatIsThereOfAMount) {
  ASSERT_EQ(RunKvfs({"mount", full(), mount_point()}).status, 0);
  ExpectRoomForSmallValuesOnly();
  const ProgramRun run = RunShell("cp '" + Path("big") + "' '" + mount_point() + "/copy'");
  EXPECT_NE(run.err.find("No space left on device"), std::string::npos) << run.err;
  Shell("rm copy && echo bar > foo && cat foo");
  Unmount();
  EXPECT_EQ(RunKvfs({"check", full()}).status, 0);
}

TEST_F(FullDisk, AnImportSaysHowFarItGot) {
  RunShell("cd '" + directory() +
           "' && mkdir t && echo 1 > t/a && ln big t/b && tar cf t.tar t/a t/b");
  ExpectFailure({"import", "--from", "tar", Path("t.tar"), full()}, 9, {"space"});
  EXPECT_EQ(RunKvfs({"check", full()}).status, 0);
  EXPECT_EQ(RunKvfs({"get", full(), "kept"}).out, "value");
}

TEST_F(FullDisk, NoStoreIsMadeWithoutRoom) {
  RunShell("dd if=/dev/zero of='" + disk() + "/filler' bs=64k");
  ExpectFailure({"create", disk() + "/second"}, 9, {disk() + "/second", "space"});
  EXPECT_FALSE(stdfs::exists(disk() + "/second/superblock"));
}

}  // namespace
}  // namespace kvfs::cli
