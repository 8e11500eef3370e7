// `mount -o ro` of a store that cannot be written: it is shared with other readers, and nothing in
// it changes.
#include <sys/mount.h>

#include <csignal>
#include <filesystem>

#include "cli/mounts/lock_file.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

class ReadOnlyMount : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    Put("foo", "bar");
  }
  ~ReadOnlyMount() override {
    RunKvfs({"unmount", mount_point()});
    RunKvfs({"unmount", Path("second")});
    ::umount2(medium().c_str(), MNT_DETACH);
  }
  // The store's directory at another path, as on a read-only medium.
  void ShowReadOnly() {
    stdfs::create_directory(medium());
    ASSERT_EQ(::mount(directory().c_str(), medium().c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(
        ::mount(nullptr, medium().c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  }
  // All bytes, and the times of their last change.
  std::string Fingerprint() const {
    return RunShell("cd '" + store() + "' && find . -type f -printf '%p %s %T@ ' -exec md5sum {} +")
        .out;
  }
  ProgramRun MountIt(const std::string& where) {
    return RunKvfs({"mount", "-o", "ro", there(), where});
  }
  void ExpectReadAndLeftAlone(const std::string& before) {
    const ProgramRun mounted = MountIt(mount_point());
    ASSERT_EQ(mounted.status, 0) << mounted.err;
    EXPECT_EQ(mounted.err, "");
    EXPECT_EQ(RunShell("cat '" + mount_point() + "/foo'").out, "bar");
    EXPECT_NE(RunShell("echo 1 > '" + mount_point() + "/new'").status, 0);
    EXPECT_EQ(RunKvfs({"get", there(), "foo"}).out, "bar");
    EXPECT_EQ(RunKvfs({"get", mount_point(), "foo"}).out, "bar");
    EXPECT_EQ(RunKvfs({"put", "--timeout", "2", there(), "foo", "1"}).status, 12);
    const ProgramRun unmounted = RunKvfs({"unmount", mount_point()});
    EXPECT_EQ(unmounted.status, 0);
    EXPECT_EQ(unmounted.err, "");
    EXPECT_EQ(Fingerprint(), before);
  }

  std::string medium() const { return Path("medium"); }
  std::string there() const { return medium() + "/store"; }
};

TEST_F(ReadOnlyMount, IsNotCompacted) {
  ASSERT_EQ(RunKvfs({"mount", "-o", "ro", store(), mount_point()}).status, 0);
  ExpectFailure({"compact", store()}, 12, {"mounted read-only"});
  Unmount();
  EXPECT_EQ(RunKvfs({"compact", store()}).status, 0);
}

TEST_F(ReadOnlyMount, OfAClosedStore) {
  ShowReadOnly();
  ExpectReadAndLeftAlone(Fingerprint());
}

TEST_F(ReadOnlyMount, OfAnUnclosedStoreShowsWhatItsLogHas) {
  Mount();
  Shell("echo two > two");
  KillDaemon();
  EXPECT_EQ(RunKvfs({"unmount", mount_point()}).status, 8);
  ShowReadOnly();
  ExpectReadAndLeftAlone(Fingerprint());
  ASSERT_EQ(MountIt(mount_point()).status, 0);
  EXPECT_EQ(RunShell("cat '" + mount_point() + "/two'").out, "two\n");
}

TEST_F(ReadOnlyMount, StandsBesideAnother) {
  ShowReadOnly();
  stdfs::create_directory(Path("second"));
  ASSERT_EQ(MountIt(mount_point()).status, 0);
  ASSERT_EQ(MountIt(Path("second")).status, 0);
  EXPECT_EQ(RunShell("cat '" + mount_point() + "/foo' '" + Path("second") + "/foo'").out, "barbar");
  Run({"unmount", mount_point()});
  EXPECT_EQ(RunShell("cat '" + Path("second") + "/foo'").out, "bar");
}

TEST_F(ReadOnlyMount, IsSeenByStatus) {
  ShowReadOnly();
  ASSERT_EQ(MountIt(mount_point()).status, 0);
  const std::string words = there() + " is mounted on " + mount_point();
  for (const std::string& place : {there(), mount_point()}) {
    const ProgramRun run = RunKvfs({"status", place});
    EXPECT_NE(run.out.find(words), std::string::npos) << run.out;
  }
}

TEST_F(ReadOnlyMount, IsNamedWhereAMountForWritingIsRefused) {
  ShowReadOnly();
  ExpectFailure({"mount", there(), mount_point()}, 12, {"Read-only file system", "`-o ro`"});
}

}  // namespace
}  // namespace kvfs::cli
