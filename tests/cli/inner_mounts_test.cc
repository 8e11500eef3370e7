// Mounts inside a mount survive every command: a command that would remove one is refused, and
// names the mount point; and the search for them in a mount table.
#include "cli/client/inner_mounts.h"

#include <sys/mount.h>

#include <filesystem>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

TEST(InnerMountsOf, AreThoseOfEachPlaceWhereTheMountIsSeen) {
  const auto table = ParseMountTable(
      "1 0 0:3 / / rw - tmpfs none rw\n"
      "2 1 0:9 / /kv rw - fuse.kvfs /store rw\n"
      "3 2 0:4 / /kv/a/b rw - tmpfs none rw\n"
      "4 1 0:9 /a /again rw - fuse.kvfs /store rw\n"
      "5 4 0:5 / /again/c rw - tmpfs none rw\n"
      "6 1 0:8 / /kv2 rw - fuse.kvfs /other rw\n"
      "7 6 0:5 / /kv2/d rw - tmpfs none rw\n");
  EXPECT_EQ(InnerMountsOf(table, "/kv"),
            (std::vector<InnerMount>{{"a/b", "/kv/a/b"}, {"a/c", "/again/c"}}));
  EXPECT_TRUE(InnerMountsOf(table, "/").empty());
  auto covered = table;
  covered.push_back(covered.front());
  covered.back().mount_point = "/kv";
  EXPECT_EQ(InnerMountsOf(covered, "/kv").size(), 2u) << "also where something is mounted over it";
  EXPECT_TRUE(InnerMountsOf(table, "/elsewhere").empty());
}

TEST(InnerMountsOf, AreFoundAtAPathAndBelow) {
  const std::vector<InnerMount> inner = {{"a/b", "/kv/a/b"}};
  for (const char* path : {"a/b", "/a//b/", "a"}) EXPECT_FALSE(CheckHoldsNoMount(inner, path));
  for (const char* path : {"a/b/c", "a/bc", "b", "a/"})
    EXPECT_EQ(CheckHoldsNoMount(inner, path).has_value(), std::string(path) != "a/") << path;
}

// Sorted by bytes, where '-' comes before '/'.
TEST(InnerMountsOf, AreFoundBesideNamesThatBeginAlike) {
  const std::vector<InnerMount> inner = {{"a-b", "/kv/a-b"}, {"a/b", "/kv/a/b"}, {"b", "/kv/b"}};
  for (const char* path : {"a", "a-b", "a/b", "b", ""}) {
    EXPECT_FALSE(CheckHoldsNoMount(inner, path)) << path;
  }
  for (const char* path : {"a-", "a-b/c", "a/", "a/b/c", "c"}) {
    EXPECT_EQ(CheckHoldsNoMount(inner, path).has_value(), std::string(path) != "a/") << path;
  }
}

class MountsInside : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    Mount();
    Shell("mkdir -p d/sub e; echo 1 > d/file; echo 2 > d/sub/hidden; echo 3 > f");
    ASSERT_EQ(::mount("none", sub().c_str(), "tmpfs", 0, nullptr), 0);
    Shell("echo above > d/sub/f; echo host > '" + Path("host") + "'");
    ASSERT_EQ(::mount(Path("host").c_str(), file().c_str(), nullptr, MS_BIND, nullptr), 0);
  }
  void TearDown() override {
    ::umount2(sub().c_str(), MNT_DETACH);
    ::umount2(file().c_str(), MNT_DETACH);
  }

  std::string sub() const { return mount_point() + "/d/sub"; }
  std::string file() const { return mount_point() + "/f"; }
  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& named,
                     const std::string& input = {}) {
    const ProgramRun run = RunKvfs(arguments, input);
    EXPECT_EQ(run.status, 13) << arguments[0] << ": " << run.err;
    EXPECT_NE(run.err.find("something is mounted on " + named), std::string::npos) << run.err;
    Shell("grep -q above d/sub/f && grep -q host f && grep -q 1 d/file");
  }
};

TEST_F(MountsInside, StaysWhatIsDeletedOrMoved) {
  ExpectRefused({"del", "-r", store(), "d"}, sub());
  ExpectRefused({"del", "-r", store(), "d/sub"}, sub());
  ExpectRefused({"del", "-r", store(), "f"}, file());
  ExpectRefused({"del", store(), "f"}, file());
  ExpectRefused({"mv", store(), "d", "g"}, sub());
  ExpectRefused({"mv", store(), "d/sub", "g"}, sub());
  ExpectRefused({"mv", store(), "e", "d/sub"}, sub());
  ExpectRefused({"mv", store(), "d/file", "f"}, file());
  ExpectRefused({"batch", store()}, sub(), "del d/sub/hidden\nrmdir d/sub\n");
  ExpectRefused({"batch", store()}, sub(), "mv d g\n");
  Run({"del", store(), "d/sub/hidden"});  // which removes no visible name
}

TEST_F(MountsInside, StaysWhatIsImportedOver) {
  ExpectRefused({"import", "--from", "jsonl", "-", store()}, sub(),
                R"({"path":"d/sub","value":"x"})");
  ExpectRefused({"import", "--from", "jsonl", "-", store()}, file(),
                R"({"path":"f","kind":"directory"})");
  // Directories that stay, and contents, are not names.
  Run({"import", "--from", "jsonl", "-", store()},
      R"({"path":"d","kind":"directory","mode":"0700"})"
      "\n"
      R"({"path":"d/sub/new","value":"y"})"
      "\n"
      R"({"path":"f","value":"new"})");
  Run({"put", store(), "f", "newer"});
  Shell("grep -q above d/sub/f && grep -q host f");
}

TEST_F(MountsInside, IsNoneOnceItIsUnmounted) {
  ASSERT_EQ(::umount2(sub().c_str(), 0), 0);
  Run({"del", "-r", store(), "d"});
}

}  // namespace
}  // namespace kvfs::cli
