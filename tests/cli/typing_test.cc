// Typing mistakes and the replies to them: nonexistent commands, missing directories, numbers, and
// mount points in place of a store.
#include <sys/stat.h>

#include <filesystem>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

class Typing : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
  void ExpectSilentAbout(const std::vector<std::string>& arguments, const std::string& word) {
    EXPECT_EQ(RunKvfs(arguments).err.find(word), std::string::npos) << RunKvfs(arguments).err;
  }
};

TEST_F(Typing, AMisspeltCommandIsNoStore) {
  ExpectFailure({"umount", mount_point()}, 1,
                {"unknown command umount", "did you mean", "unmount"});
  ExpectFailure({"mont", store(), mount_point()}, 1, {"did you mean `kvfs mount`"});
  ExpectFailure({"gett"}, 1, {"did you mean `kvfs get`"});
  ExpectFailure({"frobnicate", store()}, 1, {"unknown command frobnicate"});
  ExpectSilentAbout({"frobnicate", store()}, "did you mean");
  EXPECT_FALSE(std::filesystem::exists("umount"));
}

TEST_F(Typing, HelpIsOfTheCommandThatIsNamed) {
  EXPECT_EQ(RunKvfs({"help", "get"}).out, RunKvfs({"get", "--help"}).out);
  EXPECT_EQ(RunKvfs({"help"}).out, RunKvfs({"--help"}).out);
  ExpectFailure({"help", "gett"}, 1, {"unknown command gett", "did you mean `kvfs get`"});
}

TEST_F(Typing, AStoreThatIsThereOrShallBeMadeIsMounted) {
  const std::string inside = "cd '" + directory() + "' && '" + ProgramPath() + "' ";
  EXPECT_EQ(RunShell(inside + "store mnt").status, 0);
  Unmount();
  EXPECT_EQ(RunShell(inside + "another mnt --create").status, 0);
  Unmount();
}

TEST_F(Typing, AMissingDirectoryIsTold) {
  for (const char* command : {"put", "append"}) {
    ExpectFailure({command, store(), "a/b/c", "x"}, 11,
                  {"the directory a/b is missing", "kvfs mkdir --parents " + store() + " a/b"});
  }
  ExpectFailure({"mkdir", store(), "a/b"}, 11, {"the directory a is missing"});
  const ProgramRun batch = RunKvfs({"batch", store()}, "put a/b x\n");
  EXPECT_EQ(batch.status, 11);
  EXPECT_NE(batch.err.find("the directory a is missing"), std::string::npos) << batch.err;
  ExpectFailure({"get", store(), "a/b"}, 11, {"there is no such key"});
}

TEST_F(Typing, NumbersAreWholeAndHaveBounds) {
  Put("foo", "bar");
  const std::string long_number(5000, '9');
  for (const std::string& number :
       {std::string("x"), std::string("1.5"), std::string("-1"), std::string("0"),
        std::string("1e3"), std::string("99999999999999999999"), std::string("0x10"),
        long_number}) {
    const ProgramRun run = RunKvfs({"put", "--if-version=" + number, store(), "foo", "x"});
    EXPECT_EQ(run.status, 1) << number;
    EXPECT_LT(run.err.size(), 300u) << run.err;
  }
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"create", "--shards", "257", Path("new")},
           {"create", "--shards", "4294967297", Path("new")},
           {"create", "--page-size", "99999999999999999999", Path("new")},
           {"create", "--log-limit", "99999999999999999999", Path("new")},
           {"get", "--timeout", "1.5", store(), "foo"},
           {"top", "--times", "x", mount_point()},
           {"bench", "--values", "99999999999999999999", directory()},
           {"export", "--to", "smkv", "--shards", "0", store(), Path("out")}}) {
    const ProgramRun run = RunKvfs(arguments);
    EXPECT_EQ(run.status, 1) << arguments[1] << ": " << run.err;
    EXPECT_LT(run.err.size(), 400u) << run.err;
  }
  ExpectValue("foo", "bar");
  EXPECT_EQ(RunKvfs({"put", "--if-version=18446744073709551615", store(), "foo", "x"}).status, 14);
}

TEST_F(Typing, AMountPointIsANameOfItsStore) {
  Mount();
  Run({"put", mount_point(), "foo", "bar"});
  EXPECT_EQ(Output({"get", mount_point() + "/", "foo"}), "bar");
  EXPECT_EQ(Output({"ls", mount_point()}), "foo\n");
  ExpectFailure({"create", mount_point()}, 2, {"already a store at " + store()});
}

TEST_F(Typing, ALargeValueKeepsTheFilesInodeAndItsFurtherNames) {
  Mount();
  Shell("echo small > foo && ln foo other");
  const std::string inode = RunShell("stat -c %i '" + mount_point() + "/foo'").out;
  const std::string large(20'000'000, 'x');
  Run({"put", store(), "foo"}, large);
  EXPECT_EQ(RunShell("stat -c %i '" + mount_point() + "/foo'").out, inode);
  Shell("cmp foo other && test $(stat -c %h foo) = 2 && test $(stat -c %s other) = 20000000");
}

}  // namespace
}  // namespace kvfs::cli
