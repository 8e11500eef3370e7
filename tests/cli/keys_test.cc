// The data commands, on a store that is mounted and on one that is not: the same results.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/either_way.h"
#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

using nlohmann::json;

const std::string kThousandBytes(1000, 'x');

class Keys : public EitherWay<StoreFixture> {
 protected:
  void SetUp() override {
    Create();
    MountIfAsked();
  }
  json StatOf(const std::string& key) {
    return json::parse(Output({"stat", "--json", store(), "--", key}));
  }
  void Fill() {
    Run({"mkdir", "-p", store(), "a/b"});
    for (const char* key : {"top.txt", "a/one.txt", "a/two.json", "a/b/three.txt"}) Put(key, key);
  }
};
INSTANTIATE_TEST_SUITE_P(MountedOrNot, Keys, testing::Bool(), NameOfWay);

TEST_P(Keys, PutReplacesAndKeepsInodeAndMode) {
  Put("foo", "bar");
  const json before = StatOf("foo");
  Put("foo", "longer than before");
  const json after = StatOf("foo");
  EXPECT_EQ(after["inode"], before["inode"]);
  EXPECT_EQ(after["mode"], "0644");
  EXPECT_EQ(after["size_bytes"], 18);
  EXPECT_GT(after["version"], before["version"]);
}

TEST_P(Keys, NewOnesGetWhatTheUmaskLeaves) {
  for (const auto& [umask, file, directory] : std::vector<std::array<std::string, 3>>{
           {"0", "0666", "0777"}, {"002", "0664", "0775"}, {"077", "0600", "0700"}}) {
    const std::string kvfs = "'" + ProgramPath() + "' ";
    const std::string in_store = " '" + store() + "' ";
    const ProgramRun run =
        RunShell("umask " + umask + "; " + kvfs + "put" + in_store + "put" + umask + " x && " +
                 kvfs + "append" + in_store + "append" + umask + " x && " + kvfs + "mkdir -p" +
                 in_store + "d" + umask + "/e && echo put batch" + umask + " x | " + kvfs +
                 "batch" + in_store + " && echo '{" + R"("path":"json)" + umask +
                 R"(","value":"x","mtime":"2001-09-09T01:46:40.000000000Z"})" + "' | " + kvfs +
                 "import --from jsonl -" + in_store);
    ASSERT_EQ(run.status, 0) << run.err;
    for (const char* key : {"put", "append", "batch", "json"}) {
      EXPECT_EQ(StatOf(key + umask)["mode"], file) << key << umask;
    }
    EXPECT_EQ(StatOf("d" + umask)["mode"], directory);
    EXPECT_EQ(StatOf("d" + umask + "/e")["mode"], directory);
  }
}

// If there is such a list, neither the umask nor the requested mode applies.
TEST_P(Keys, NewOnesGetWhatTheDefaultListOfTheirDirectoryLeaves) {
  const ProgramRun made =
      RunShell("mkdir -p '" + Path("tree") + "/d' && setfacl -d -m u:root:rwx,g::rwx,o::- '" +
               Path("tree") + "/d' && '" + ProgramPath() + "' import '" + Path("tree") + "' '" +
               store() + "' && umask 077 && '" + ProgramPath() + "' put '" + store() +
               "' d/file x && '" + ProgramPath() + "' mkdir '" + store() + "' d/below");
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(StatOf("d/file")["mode"], "0660");
  EXPECT_EQ(StatOf("d/below")["mode"], "0770");
}

TEST_P(Keys, PutTakesValuesOfAnySize) {
  const std::string large(20'000'000, 'x');
  Put("foo", "small");
  Run({"put", store(), "foo"}, large);
  ExpectValue("foo", large);
  Put("foo", "small");
  ExpectValue("foo", "small");
}

TEST_P(Keys, PutIfAbsentIsForOneOnly) {
  Run({"put", "--if-absent", store(), "foo", "first"});
  ExpectFailure({"put", "--if-absent", store(), "foo", "second"}, 14, {"foo", "there already"});
  ExpectValue("foo", "first");
}

TEST_P(Keys, PutIfVersionRefusesAValueThatHasChanged) {
  Put("foo", "1");
  const std::string version = StatOf("foo")["version"].dump();
  Run({"put", "--if-version", version, store(), "foo", "2"});
  ExpectFailure({"put", "--if-version", version, store(), "foo", "3"}, 14, {"foo", "version"});
  ExpectFailure({"put", "--if-version", "1", store(), "absent", "3"}, 14, {"absent"});
  ExpectFailure({"put", "--if-version", "0", store(), "foo", "3"}, 1, {"if-version"});
  ExpectValue("foo", "2");
}

TEST_P(Keys, AppendAddsToTheEnd) {
  Run({"append", store(), "log", "one\n"});
  Run({"append", store(), "log"}, std::string("two\0", 4));
  ExpectValue("log", std::string("one\ntwo\0", 8));
  Run({"mkdir", store(), "d"});
  ExpectFailure({"append", store(), "d", "x"}, 13, {"directory"});
}

TEST_P(Keys, MvKeepsTheInodeAndReplaces) {
  Put("foo", "bar");
  Put("old", "x");
  const json inode = StatOf("foo")["inode"];
  ExpectFailure({"mv", "-n", store(), "foo", "old"}, 14, {"old"});
  Run({"mv", store(), "foo", "old"});
  EXPECT_EQ(StatOf("old")["inode"], inode);
  ExpectValue("old", "bar");
  ExpectFailure({"mv", store(), "foo", "new"}, 11, {"foo"});
}

TEST_P(Keys, MvOfADirectoryTakesAllInItAlong) {
  Fill();
  Run({"mv", store(), "a", "z"});
  ExpectValue("z/b/three.txt", "a/b/three.txt");
  ExpectFailure({"mv", store(), "z", "z/b/inside"}, 13, {"into itself"});
}

TEST_P(Keys, LsShowsWhatItIsAskedFor) {
  Fill();
  EXPECT_EQ(Output({"ls", store()}), "a\ntop.txt\n");
  EXPECT_EQ(Output({"ls", "-0", store()}), std::string("a\0top.txt\0", 10));
  EXPECT_EQ(Output({"ls", "-R", store()}),
            "a\na/b\na/b/three.txt\na/one.txt\na/two.json\ntop.txt\n");
  EXPECT_EQ(Output({"ls", "--prefix", "t", store(), "a"}), "two.json\n");
  const std::string lines = Output({"ls", "-l", store()});
  EXPECT_EQ(lines.find("drwxr-xr-x   3 "), 0u) << lines;
  EXPECT_NE(lines.find("\n-rw-r--r--   1 "), std::string::npos) << lines;
  const json top = json::parse(Output({"ls", "--json", store(), "top.txt"}));
  EXPECT_EQ(top["path"], "top.txt");
  EXPECT_EQ(top["size_bytes"], 7);
}

TEST_P(Keys, FindTakesPatternsAndPrefixes) {
  Fill();
  EXPECT_EQ(Output({"find", store(), "*.txt"}), "a/b/three.txt\na/one.txt\ntop.txt\n");
  EXPECT_EQ(Output({"find", store(), "a/*.txt"}), "a/one.txt\n");
  EXPECT_EQ(Output({"find", store(), "--prefix", "a/b"}), "a/b\na/b/three.txt\n");
  EXPECT_EQ(Output({"find", store(), "--kind", "directory"}), "a\na/b\n");
  EXPECT_EQ(Output({"find", store(), "none"}), "");
}

TEST_P(Keys, StatTellsTimesAndKinds) {
  Put("foo", "bar");
  const json stat = StatOf("foo");
  EXPECT_EQ(stat["kind"], "file");
  EXPECT_EQ(stat["mtime"].get<std::string>().size(), 30u) << stat;
  EXPECT_EQ(StatOf("/")["kind"], "directory");
  ExpectFailure({"stat", store(), "foo", "absent"}, 11, {"absent"});
}

TEST_P(Keys, DelRecursiveTakesATreeAway) {
  Fill();
  ExpectFailure({"del", store(), "a"}, 13, {"directory"});
  Run({"del", "-r", store(), "a"});
  EXPECT_EQ(Output({"ls", store()}), "top.txt\n");
  EXPECT_EQ(StatOf("/")["links"], 2);
}

TEST_P(Keys, MkdirMakesParentsOnlyIfAsked) {
  ExpectFailure({"mkdir", store(), "x/y"}, 11, {"x/y"});
  Run({"mkdir", "-p", store(), "x/y"});
  Run({"mkdir", "-p", store(), "x/y"});
  ExpectFailure({"mkdir", store(), "x/y"}, 13, {"already"});
}

TEST_P(Keys, ABatchHappensWhole) {
  Put("foo", "old");
  Run({"batch", store()},
      "# a comment\n"
      "expect new absent\n"
      "put new \"a value\\n\\x00\"\n"
      "append new more\n"
      "mv foo moved\n"
      "mkdir d\n");
  ExpectValue("new", std::string("a value\n\0more", 13));
  ExpectValue("moved", "old");
  EXPECT_EQ(Output({"ls", store()}), "d\nmoved\nnew\n");
}

TEST_P(Keys, ABatchThatIsRefusedChangesNothingAndNamesTheLine) {
  Put("foo", "old");
  const std::vector<std::pair<std::string, int>> refused = {{"put foo new\nput absent/x y\n", 11},
                                                            {"put foo new\nexpect bar 7\n", 14},
                                                            {"put foo new\nfrob\n", 1},
                                                            {"put foo new\ndel absent\n", 11},
                                                            {"put foo new\nmkdir foo\n", 13},
                                                            {"put foo new\nput \"open\n", 1},
                                                            {"del foo\nexpect foo absent\n", 13},
                                                            {"mkdir d\nmkdir d\n", 13},
                                                            {"put foo new\nrmdir foo\n", 13},
                                                            {"put foo new\nmv foo foo/bar\n", 13}};
  for (const auto& [lines, status] : refused) {
    const ProgramRun run = RunKvfs({"batch", store()}, lines);
    EXPECT_EQ(run.status, status) << lines << run.err;
    EXPECT_NE(run.err.find("line 2"), std::string::npos) << run.err;
    ExpectValue("foo", "old");
  }
  EXPECT_EQ(Output({"ls", store()}), "foo\n");
}

TEST_P(Keys, ABatchFillsDirectoriesThatItMakes) {
  Run({"batch", store()}, "mkdir d\nput d/x y\nmkdir d/e\nmv d/x d/e/z\n");
  EXPECT_EQ(Output({"ls", "-R", store()}), "d\nd/e\nd/e/z\n");
  ExpectValue("d/e/z", "y");
}

TEST_P(Keys, ABatchInJsonTakesAnyBytes) {
  Run({"batch", "--json", store()}, R"({"op":"put","key":"foo","value_base64":"AP8="})"
                                    "\n\n"
                                    R"({"op":"put","key_base64":"/w==","value":"\u00e9"})"
                                    "\n");
  ExpectValue("foo", std::string("\0\xff", 2));
  ExpectValue("\xff", "\xc3\xa9");
  EXPECT_EQ(RunKvfs({"batch", "--json", store()}, "{\"op\":\"put\"\n").status, 1);
}

TEST_P(Keys, ManyChangesGoInOneBatch) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += "put key" + std::to_string(i) + " value\n";
  Run({"batch", store()}, lines);
  EXPECT_EQ(std::ranges::count(Output({"ls", store()}), '\n'), 5000);
}

TEST_P(Keys, ABatchThatIsTooLargeChangesNothingAndSaysWhatToDo) {
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    lines += "put key" + std::to_string(i) + " " + kThousandBytes + "\n";
  const ProgramRun run = RunKvfs({"batch", store()}, lines);
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.err.find("5000 changes do not fit"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("split it into several batches"), std::string::npos) << run.err;
  EXPECT_EQ(Output({"ls", store()}), "");
}

TEST_P(Keys, AnAppendThatIsTooLargeChangesNothingAndItsPiecesGoThrough) {
  Put("log", "old");
  const std::string append = "'" + ProgramPath() + "' append '" + store() + "' log";
  const ProgramRun run = RunShell("head -c 270000000 /dev/zero | " + append);
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.err.find("at most 256 MiB; append in pieces"), std::string::npos) << run.err;
  ExpectValue("log", "old");
  EXPECT_EQ(RunShell("head -c 5000 /dev/zero | split -b 2000 --filter=\"" + append + "\"").err, "");
  ExpectValue("log", "old" + std::string(5000, '\0'));
}

class MountedKeys : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    Mount();
  }
};

// The kernel's caches must not outlive a change made by a command.
TEST_F(MountedKeys, TheMountShowsWhatCommandsChange) {
  Shell("test ! -e foo && test ! -e d && ls >/dev/null");
  Put("foo", "one");
  Shell("test \"$(cat foo)\" = one && test \"$(ls)\" = foo && test \"$(stat -c %s foo)\" = 3");
  Put("foo", "three");
  Shell("test \"$(cat foo)\" = three && test \"$(stat -c %s foo)\" = 5");
  ASSERT_EQ(RunKvfs({"append", store(), "foo", "!"}).status, 0);
  Shell("test \"$(cat foo)\" = three!");
  ASSERT_EQ(RunKvfs({"mv", store(), "foo", "bar"}).status, 0);
  Shell("test ! -e foo && test \"$(cat bar)\" = three! && test \"$(ls)\" = bar");
  ASSERT_EQ(RunKvfs({"mkdir", store(), "d"}).status, 0);
  Shell("test -d d && test \"$(stat -c %h .)\" = 3 && echo x > d/x");
  ASSERT_EQ(RunKvfs({"del", "-r", store(), "d", "bar"}).status, 0);
  Shell("test ! -e d && test ! -e bar && test -z \"$(ls)\"");
}

TEST_F(MountedKeys, ADirectoryThatCommandsMoveKeepsItsInhabitants) {
  Shell("mkdir -p d/e && echo x > d/e/x && cat d/e/x");
  ASSERT_EQ(RunKvfs({"mv", store(), "d", "f"}).status, 0);
  Shell("test \"$(cat f/e/x)\" = x && test ! -e d && echo y > f/e/x");
  ExpectValue("f/e/x", "y\n");
}

TEST_F(MountedKeys, AnOpenFileThatACommandDeletesWorksOn) {
  Shell("echo bar > foo");
  const int file = ::open((mount_point() + "/foo").c_str(), O_RDWR);
  ASSERT_GE(file, 0);
  ASSERT_EQ(RunKvfs({"del", store(), "foo"}).status, 0);
  char text[4] = {};
  EXPECT_EQ(::pread(file, text, 3, 0), 3);
  EXPECT_STREQ(text, "bar");
  EXPECT_EQ(::pwrite(file, "x", 1, 0), 1);
  ::close(file);
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "");
}

TEST_F(MountedKeys, OneBatchIsSeenWholeThroughTheMount) {
  Shell("echo old > a && cat a");
  ASSERT_EQ(RunKvfs({"batch", store()}, "put a new\nput b new\n").status, 0);
  Shell("test \"$(cat a b)\" = newnew");
}

TEST_F(MountedKeys, VersionAndChecksumAreAttributesOfTheFile) {
  Put("foo", "bar");
  const auto attribute = [&](const std::string& name) {
    return RunShell("getfattr --only-values -n user.kvfs." + name + " '" + mount_point() + "/foo'")
        .out;
  };
  EXPECT_EQ(attribute("version"),
            json::parse(RunKvfs({"stat", "--json", store(), "foo"}).out)["version"].dump());
  // printf bar | xxh128sum
  EXPECT_EQ(attribute("checksum"), "950829dab2011f31d463c860a032d362");
}

TEST_F(MountedKeys, AReadOnlyMountRefusesChanges) {
  Put("foo", "bar");
  Unmount();
  ASSERT_EQ(RunKvfs({"mount", "-o", "ro", store(), mount_point()}).status, 0);
  ExpectValue("foo", "bar");
  ExpectFailure({"put", store(), "foo", "new"}, 12, {"read-only"});
  ExpectFailure({"del", store(), "foo"}, 12, {"read-only"});
  ExpectValue("foo", "bar");
}

TEST_F(MountedKeys, ASocketOfADeadDaemonIsNoObstacle) {
  KillDaemon();
  ASSERT_EQ(::access((store() + "/socket").c_str(), F_OK), 0);
  Put("foo", "bar");
  ExpectValue("foo", "bar");
}

}  // namespace
}  // namespace kvfs::cli
