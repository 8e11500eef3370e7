// `kvfs bench` on each kind of target; it leaves nothing behind.

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

using nlohmann::json;

class BenchCommand : public StoreFixture {
 protected:
  json Bench(const std::string& where) {
    const ProgramRun run = RunKvfs({"bench", "--json", "--values", "50", where});
    EXPECT_EQ(run.status, 0) << run.err;
    return json::parse(run.out, nullptr, false);
  }
  void ExpectAllSteps(const json& report, const std::string& kind) {
    EXPECT_EQ(report["kind"], kind);
    ASSERT_EQ(report["steps"].size(), 6u) << report;
    for (const json& step : report["steps"]) {
      EXPECT_GT(step["per_second"], 0.0);
      EXPECT_GT(step["p50_seconds"], 0.0);
      EXPECT_GE(step["p99_seconds"], step["p50_seconds"]);
    }
  }
};

TEST_F(BenchCommand, AMountIsUsedByFiles) {
  Create();
  Mount();
  ExpectAllSteps(Bench(mount_point()), "mount");
  Shell("test -z \"$(ls -A)\"");
}

TEST_F(BenchCommand, AStoreIsUsedByKeysMountedOrNot) {
  Create();
  Put("mine", "value");
  ExpectAllSteps(Bench(store()), "keys");
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "mine\n");
  Mount();
  ExpectAllSteps(Bench(store()), "keys");
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "mine\n");
}

TEST_F(BenchCommand, InAnotherDirectoryANewStoreIsUsed) {
  const std::string place = directory() + "/place";
  std::filesystem::create_directory(place);
  ExpectAllSteps(Bench(place), "library");
  EXPECT_TRUE(std::filesystem::is_empty(place));
}

TEST_F(BenchCommand, TheTextNamesEachStep) {
  const ProgramRun run = RunKvfs({"bench", "--values", "10", "--bytes", "5000", mount_point()});
  EXPECT_EQ(run.status, 0) << run.err;
  for (const char* word : {"put", "replace", "get", "list", "putsync", "delete", "p50", "5000"}) {
    EXPECT_NE(run.out.find(word), std::string::npos) << word << run.out;
  }
}

TEST_F(BenchCommand, AnInterruptedOneLeavesNothing) {
  Create();
  Mount();
  const pid_t bench = StartKvfs({"bench", "--values", "1000000", mount_point()});
  while (RunShell("ls -A '" + mount_point() + "'").out.empty()) continue;
  ::kill(bench, SIGTERM);
  EXPECT_EQ(AwaitExit(bench), 15);
  Shell("test -z \"$(ls -A)\"");
}

TEST_F(BenchCommand, APlaceThatIsNotThereIsNamed) {
  ExpectFailure({"bench", directory() + "/absent"}, 2, {"absent"});
}

}  // namespace
}  // namespace kvfs::cli
