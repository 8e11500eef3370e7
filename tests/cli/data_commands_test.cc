// create, get, put, del and ls on a store that is not mounted.

#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

using DataCommands = StoreFixture;

TEST_F(DataCommands, GetGivesBackWhatPutTook) {
  Create();
  Put("foo", "bar");
  ExpectValue("foo", "bar");
  Put("foo", "longer than before");
  ExpectValue("foo", "longer than before");
}

TEST_F(DataCommands, ValuesAreKeptToTheByte) {
  Create();
  const std::string value("\0\n\r\xff-- \n\n", 9);
  ASSERT_EQ(RunKvfs({"put", store(), "foo"}, value).status, 0);
  ExpectValue("foo", value);
}

// For "4096 to 32768" in an option's description: both bounds are accepted, values beyond are not.
TEST_F(DataCommands, TheBoundsThatTheHelpNamesAreThoseOfTheProgram) {
  const std::string help = RunKvfs({"create", "--help"}).out;
  int count = 0;
  for (const std::string option : {"--shards", "--page-size", "--log-limit"}) {
    const std::string text = help.substr(help.find(option));
    std::smatch bounds;
    ASSERT_TRUE(
        std::regex_search(text, bounds, std::regex("(\\d+)([MG]?)\\s+to\\s+(\\d+)([MG]?)")));
    const uint64_t least = std::stoull(bounds[1]), most = std::stoull(bounds[3]);
    auto create = [&](uint64_t number, const std::string& unit) {
      const std::string path = Path("bounds-" + std::to_string(count++));
      return RunKvfs({"create", option, std::to_string(number) + unit, path}).status;
    };
    EXPECT_EQ(create(least, bounds[2]), 0) << option;
    EXPECT_EQ(create(most, bounds[4]), 0) << option;
    EXPECT_EQ(create(least - 1, bounds[2]), 1) << option;
    EXPECT_EQ(create(2 * most, bounds[4]), 1) << option;
  }
}

TEST_F(DataCommands, PutTakesStandardInputForADash) {
  Create();
  ASSERT_EQ(RunKvfs({"put", store(), "foo", "-"}, "piped").status, 0);
  ExpectValue("foo", "piped");
}

TEST_F(DataCommands, PutTakesAFile) {
  Create();
  const std::string path = directory() + "/value";
  std::ofstream(path) << std::string(3'000'000, 'x');
  ASSERT_EQ(RunKvfs({"put", store(), "foo", "--file", path}).status, 0);
  ExpectValue("foo", std::string(3'000'000, 'x'));
}

TEST_F(DataCommands, PutRefusesBothAFileAndAValue) {
  Create();
  ExpectFailure({"put", store(), "foo", "bar", "--file", "/dev/null"}, 1, {"--file"});
}

TEST_F(DataCommands, AbsentIsToldApartFromEmpty) {
  Create();
  Put("empty", "");
  ExpectValue("empty", "");
  ExpectFailure({"get", store(), "absent"}, 11, {"absent", "no such key"});
}

TEST_F(DataCommands, GetSaysThatThereIsNoStore) {
  ExpectFailure({"get", store(), "foo"}, 2, {"no store at " + store(), "kvfs create"});
  ExpectFailure({"get", "/nowhere/at/all", "foo"}, 2, {"no store at /nowhere/at/all"});
}

TEST_F(DataCommands, GetSaysThatADirectoryIsNotAStore) {
  ExpectFailure({"get", mount_point(), "foo"}, 2, {mount_point()});
}

TEST_F(DataCommands, AStoreOfAnotherFormatIsLeftAlone) {
  Create();
  Put("foo", "bar");
  const auto set_version = [&](char version) {
    std::fstream file(store() + "/superblock", std::ios::in | std::ios::out | std::ios::binary);
    for (const std::streamoff identity : {0, 77824}) {  // docs/format.md
      file.seekp(identity + 16);
      file.put(version);
    }
  };
  set_version(9);
  ExpectFailure({"get", store(), "foo"}, 10, {store(), "version 9"});
  ExpectFailure({"put", store(), "foo", "x"}, 10, {store(), "version 9"});
  ExpectFailure({"mount", store(), mount_point()}, 10, {store(), "version 9"});
  set_version(2);
  ExpectValue("foo", "bar");
}

TEST_F(DataCommands, PutCreatesTheStoreOnlyIfAsked) {
  ExpectFailure({"put", store(), "foo", "bar"}, 2, {"no store"});
  EXPECT_FALSE(std::filesystem::exists(store()));
  ASSERT_EQ(RunKvfs({"put", "--create", store(), "foo", "bar"}).status, 0);
  ASSERT_EQ(RunKvfs({"put", "--create", store(), "foo2", "bar2"}).status, 0);
  ExpectValue("foo", "bar");
  ExpectValue("foo2", "bar2");
}

TEST_F(DataCommands, CreateRefusesASecondStore) {
  Create();
  Put("foo", "bar");
  ExpectFailure({"create", store()}, 2, {"already a store", store()});
  ExpectValue("foo", "bar");
}

TEST_F(DataCommands, CreateRefusesParametersOutOfRange) {
  ExpectFailure({"create", store(), "--shards", "0"}, 1, {"shards"});
  ExpectFailure({"create", store(), "--page-size", "5000"}, 1, {"page"});
  ExpectFailure({"create", store(), "--log-limit", "many"}, 1, {"many"});
  EXPECT_FALSE(std::filesystem::exists(store()));
}

TEST_F(DataCommands, CreateTakesParameters) {
  ASSERT_EQ(RunKvfs({"create", store(), "--shards", "3", "--page-size", "8K", "--log-limit", "48M"})
                .status,
            0);
  Put("foo", "bar");
  ExpectValue("foo", "bar");
}

TEST_F(DataCommands, DelDeletesAllItCanAndNamesTheOthers) {
  Create();
  Put("a", "1");
  Put("b", "2");
  ExpectFailure({"del", store(), "a", "absent", "b"}, 11, {"absent"});
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "");
}

TEST_F(DataCommands, DelTakesOddKeysAfterADoubleDash) {
  Create();
  const std::vector<std::string> keys = {"[a,b]", "-x", "--help", "[]"};
  for (const std::string& key : keys)
    ASSERT_EQ(RunKvfs({"put", store(), "--", key, "v"}).status, 0);
  ExpectFailure({"del", store(), "[a,b]", "-x"}, 1, {"-x"});
  ASSERT_EQ(RunKvfs({"del", store(), "--", "-x", "[a,b]", "--help", "[]"}).status, 0);
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "");
}

TEST_F(DataCommands, LsSortsNames) {
  Create();
  for (const char* key : {"b", "a", "C", "[x]", "aa"}) Put(key, "");
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "C\n[x]\na\naa\nb\n");
  EXPECT_EQ(RunKvfs({"ls", store(), "a"}).out, "a\n");
  ExpectFailure({"ls", store(), "absent"}, 11, {"absent"});
}

TEST_F(DataCommands, KeysMayLookLikeCommandsListsAndOptions) {
  Create();
  for (const char* key : {"get", "mount", "[a,b]", "%%", "a b", "-x", "--help"}) {
    ASSERT_EQ(RunKvfs({"put", store(), "--", key, "v"}).status, 0) << key;
    EXPECT_EQ(RunKvfs({"get", store(), "--", key}).out, "v") << key;
    EXPECT_EQ(RunKvfs({"del", store(), "--", key}).status, 0) << key;
  }
}

TEST_F(DataCommands, RefusesPathsThatAreNoKeys) {
  Create();
  for (const char* path : {"", "/", "..", "a/../b", "./a"}) {
    ExpectFailure({"put", store(), path, "v"}, 1, {"key"});
  }
  ExpectFailure({"put", store(), "absent/foo", "v"}, 11, {"absent/foo"});
  ExpectFailure({"put", store(), std::string(256, 'n'), "v"}, 1, {"nnn"});
}

TEST_F(DataCommands, AKeyIsNoDirectory) {
  Create();
  Put("foo", "bar");
  ExpectFailure({"get", store(), "foo/bar"}, 13, {"not a directory"});
}

TEST_F(DataCommands, CommandsOnOneStoreWaitForEachOther) {
  Create();
  std::vector<pid_t> processes;
  for (int i = 0; i < 8; ++i) {
    processes.push_back(StartKvfs({"put", store(), "key" + std::to_string(i), "v"}));
  }
  for (const pid_t process : processes) EXPECT_EQ(AwaitExit(process), 0);
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "key0\nkey1\nkey2\nkey3\nkey4\nkey5\nkey6\nkey7\n");
}

TEST(Usage, HelpGoesToStandardOutput) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"-h"}, {"mount", "--help"}, {"put", "-h"}}) {
    const ProgramRun run = RunKvfs(arguments);
    EXPECT_EQ(run.status, 0);
    EXPECT_NE(run.out.find("kvfs"), std::string::npos);
    EXPECT_EQ(run.err, "");
  }
}

TEST(Usage, TheUnknownIsNamed) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--frob"},
                                                    {"frob"},
                                                    {"create", "--frob", "x"},
                                                    {"mount", "x", "y", "--frob"},
                                                    {"ls", "x", "y", "frob"}}) {
    const ProgramRun run = RunKvfs(arguments);
    EXPECT_EQ(run.status, 1);
    EXPECT_EQ(run.out, "");
    EXPECT_NE(run.err.find("frob"), std::string::npos) << run.err;
  }
}

TEST(Usage, NothingIsAUsageError) {
  EXPECT_EQ(RunKvfs({}).status, 1);
  EXPECT_EQ(RunKvfs({"put"}).status, 1);
}

}  // namespace
}  // namespace kvfs::cli
