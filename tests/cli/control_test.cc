// The control directory of a mount, and commands that examine mounts: status, unmount --wait,
// doctor; also completions and the manual.

#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "tests/cli/store_fixture.h"
#include "tests/support/prometheus_text.h"

namespace kvfs::cli {
namespace {

using nlohmann::json;

class Control : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
  void MountWith(const std::string& options) {
    const ProgramRun run = RunKvfs({"mount", "-o", options, store(), mount_point()});
    ASSERT_EQ(run.status, 0) << run.err;
  }
  std::string Read(const std::string& path) {
    const ProgramRun run = RunShell("cat '" + mount_point() + "/" + path + "'");
    EXPECT_EQ(run.status, 0) << run.err;
    return run.out;
  }
};

TEST_F(Control, TheDirectoryIsFoundByNameAndNeverListed) {
  Mount();
  Shell(
      "test -z \"$(ls -A)\" && test -d .kvfs && test \"$(ls .kvfs | tr '\\n' ' ')\" = "
      "'config metrics stats.json '");
  Shell("test \"$(stat -c %a .kvfs/config)\" = 400");
}

TEST_F(Control, StatisticsAreTrueWheneverTheyAreRead) {
  Mount();
  for (int i = 1; i <= 3; ++i) {
    Shell("echo bar > key" + std::to_string(i));
    const json stats = json::parse(Read(".kvfs/stats.json"));
    EXPECT_EQ(stats["entries"], i + 1);  // and the root's attributes
    EXPECT_GE(stats["messages"]["create"], i);
    EXPECT_GE(stats["inodes"], i);
  }
}

TEST_F(Control, TheSizeIsThatOfTheContent) {
  Mount();
  Shell("for i in $(seq 200); do echo x > f$i; test $(cat .kvfs/stats.json | wc -c) -gt 100; done");
  const int file = ::open((mount_point() + "/.kvfs/metrics").c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  const off_t size = ::lseek(file, 0, SEEK_END);
  std::string text(100'000, '\0');
  EXPECT_EQ(::pread(file, text.data(), text.size(), 0), size);
  ::close(file);
}

TEST_F(Control, AnOpenFileKeepsWhatItSaid) {
  Mount();
  const int file = ::open((mount_point() + "/.kvfs/stats.json").c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  Shell("echo a > a; echo b > b; cat .kvfs/stats.json > /dev/null");
  std::string text(100'000, '\0');
  const ssize_t length = ::pread(file, text.data(), text.size(), 0);
  ASSERT_GT(length, 0);
  EXPECT_EQ(json::parse(text.substr(0, static_cast<size_t>(length)))["entries"], 1);
  ::close(file);
}

TEST_F(Control, MetricsAreInPrometheusText) {
  Mount();
  Shell("echo bar > foo");
  const std::string metrics = Read(".kvfs/metrics");
  for (const char* line :
       {"# TYPE kvfs_entries gauge\nkvfs_entries 2\n", "# TYPE kvfs_messages_total counter\n",
        "kvfs_messages_total{kind=\"create\"} 1\n"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
  }
}

TEST_F(Control, MetricsKeepPrometheusRules) {
  Mount();
  Shell("mkdir d; for i in 1 2 3; do echo $i > d/$i; done; ls -l d; cat d/1; mv d/1 d/4; rm d/2");
  const std::string text = Read(".kvfs/metrics");
  const MetricsText metrics = ReadMetrics(text);
  EXPECT_TRUE(metrics.faults.empty()) << metrics.faults[0];
  // The reply to the last request has arrived, so it is counted.
  for (const auto& [kind, count] : std::map<std::string, double>{
           {"mkdir", 1}, {"create", 3}, {"write", 3}, {"rename", 1}, {"unlink", 1}}) {
    const std::string label = "{kind=\"" + kind + "\"}";
    EXPECT_EQ(metrics.samples.at("kvfs_messages_total" + label), count) << kind;
    EXPECT_EQ(metrics.samples.at("kvfs_message_duration_seconds_count" + label), count) << kind;
    EXPECT_GT(metrics.samples.at("kvfs_message_duration_seconds_sum" + label), 0) << kind;
  }
}

TEST_F(Control, DurationsCountInTheBucketsThatTheirSumTellsOf) {
  Mount();
  Shell("for i in $(seq 50); do mkdir $i; done");
  const auto samples = ReadMetrics(Read(".kvfs/metrics")).samples;
  const std::string name = "kvfs_message_duration_seconds";
  const std::string bucket = name + "_bucket{kind=\"mkdir\",le=\"";
  std::map<double, double> up_to;  // number of requests up to each latency
  for (const auto& [key, count] : samples) {
    if (key.starts_with(bucket)) up_to[std::stod(key.substr(bucket.size()))] = count;
  }
  ASSERT_GT(up_to.size(), 10u);
  double least = 0, most = 0, bound_before = 0, count_before = 0;
  for (const auto& [bound, count] : up_to) {
    const double here = count - std::exchange(count_before, count);
    const double low = std::exchange(bound_before, bound);
    if (here == 0) continue;
    least += here * low;
    most += here * bound;
  }
  const double sum = samples.at(name + "_sum{kind=\"mkdir\"}");
  EXPECT_GE(sum, least);
  EXPECT_LE(sum, most);
}

TEST_F(Control, MetricsKeepTheRulesWhileMessagesArrive) {
  Mount();
  Shell(
      "{ (for i in $(seq 2000); do echo $i > $((i % 7)); done) & "
      "for i in $(seq 30); do cat .kvfs/metrics > ../metrics$i; done; wait; }");
  double before = 0;
  for (int i = 1; i <= 30; ++i) {
    const MetricsText metrics =
        ReadMetrics(RunShell("cat '" + directory() + "/metrics" + std::to_string(i) + "'").out);
    EXPECT_TRUE(metrics.faults.empty()) << metrics.faults[0];
    const auto now = metrics.samples.find("kvfs_message_duration_seconds_count{kind=\"lookup\"}");
    ASSERT_NE(now, metrics.samples.end());
    EXPECT_GT(now->second, before);
    before = now->second;
  }
}

TEST_F(Control, StatisticsTellHowLongAnswersTake) {
  Mount();
  Shell("for i in 1 2 3; do echo $i > $i; done");
  const json create = json::parse(Read(".kvfs/stats.json"))["latencies"]["create"];
  EXPECT_EQ(create["count"], 3);
  EXPECT_GT(create["p50_seconds"], 0.0);
  EXPECT_GE(create["p99_seconds"], create["p50_seconds"]);
}

TEST_F(Control, TopTellsWhatCameInBetween) {
  Mount();
  Shell("for i in $(seq 50); do echo $i > before$i; done");
  const ProgramRun quiet =
      RunKvfs({"top", "--json", "--every", "0.05", "--times", "1", mount_point()});
  ASSERT_EQ(quiet.status, 0) << quiet.err;
  EXPECT_FALSE(json::parse(quiet.out).contains("create")) << quiet.out;
  // Another process writes from before the first look until after the last one.
  const std::string stop = "'" + directory() + "/stop'";
  const ProgramRun busy =
      RunShell("cd '" + mount_point() + "' || exit; (i=0; while [ ! -e " + stop +
               " ]; do i=$((i + 1)); echo $i > $i; done) & "
               "while [ ! -e 1 ]; do sleep 0.01; done; '" +
               ProgramPath() + "' top --every 1 --times 1 '" + mount_point() + "'; touch " + stop +
               "; wait");
  for (const char* word : {"message", "create", "write", "per second", "p99", "all"}) {
    EXPECT_NE(busy.out.find(word), std::string::npos) << word << busy.out << busy.err;
  }
  // The mounted store may be given instead.
  const ProgramRun by_store = RunKvfs({"top", "--every", "0.05", "--times", "1", store()});
  EXPECT_EQ(by_store.status, 0) << by_store.err;
  EXPECT_NE(by_store.out.find("per second"), std::string::npos) << by_store.out;
  ExpectFailure({"top", directory()}, 5, {directory(), "--control"});
}

TEST_F(Control, StatisticsComeAgainAndAgain) {
  Mount();
  const ProgramRun run =
      RunShell("'" + ProgramPath() + "' stats --json --every 0.05 '" + store() + "' | head -n 3");
  std::istringstream lines(run.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(nlohmann::json::parse(line).contains("disk_bytes")) << line;
  }
  EXPECT_EQ(count, 3);
}

TEST_F(Control, SecondsBetweenLooksAreANumberInBounds) {
  for (const char* every :
       {"nan", "-nan", "inf", "0", "-1", "1e300", "0x1", "0.001", "86401", ""}) {
    ExpectFailure({"stats", "--every", every, store()}, 1, {"not a number of seconds"});
    ExpectFailure({"top", "--every", every, mount_point()}, 1, {"not a number of seconds"});
  }
}

TEST_F(Control, ConfigTellsWhatIsMounted) {
  MountWith("ro,threads=3");
  const json config = json::parse(Read(".kvfs/config"));
  EXPECT_EQ(config["store"], store());
  EXPECT_EQ(config["mount_point"], mount_point());
  EXPECT_EQ(config["read_only"], true);
  EXPECT_EQ(config["threads"], 3);
}

TEST_F(Control, NothingInItCanBeChanged) {
  Mount();
  for (const char* command : {"echo x > .kvfs/config", "echo x > .kvfs/new", "rm .kvfs/config",
                              "mkdir .kvfs/d", "rmdir .kvfs", "mv .kvfs x", "touch .kvfs/config",
                              "chmod 777 .kvfs", "ln -s x .kvfs/l", "mv .kvfs/config x"}) {
    EXPECT_NE(RunShell("cd '" + mount_point() + "' && " + command).status, 0) << command;
  }
  EXPECT_EQ(json::parse(Read(".kvfs/config"))["store"], store());
}

TEST_F(Control, ANameCanBeChosenAndTheDirectoryLeftOut) {
  MountWith("control=.status");
  Shell("test ! -e .kvfs && test -f .status/config");
  Unmount();
  MountWith("nocontrol");
  Shell("test ! -e .kvfs && mkdir .kvfs && echo mine > .kvfs/config");
  Unmount();
  ExpectFailure({"mount", "-o", "control=a/b", store(), mount_point()}, 1, {"control=a/b"});
}

TEST_F(Control, AnEntryOfTheStoreIsNeverHidden) {
  Put(".kvfs", "a user's");
  Mount();
  EXPECT_EQ(Read(".kvfs"), "a user's");
}

TEST_F(Control, StatusTellsMountsAndHolders) {
  EXPECT_EQ(RunKvfs({"status", store()}).out, store() + " is not in use\n");
  Mount();
  const std::string pid = std::to_string(DaemonPid());
  const std::string expected =
      store() + " is mounted on " + mount_point() + " by process " + pid + "\n";
  EXPECT_EQ(RunKvfs({"status", store()}).out, expected);
  EXPECT_EQ(RunKvfs({"status", mount_point()}).out, expected);
  EXPECT_NE(RunKvfs({"status"}).out.find(expected), std::string::npos);
  const json told = json::parse(RunKvfs({"status", "--json", store()}).out);
  EXPECT_EQ(told["state"], "mounted");
  EXPECT_EQ(told["mount_point"], mount_point());
  KillDaemon();
  EXPECT_NE(RunKvfs({"status", mount_point()}).out.find("has died"), std::string::npos);
  ExpectFailure({"status", "/nowhere/at/all"}, 2, {"/nowhere"});
}

TEST_F(Control, UnmountWaitsForWhoeverUsesTheMount) {
  Mount();
  Shell("echo bar > foo");
  const int file = ::open((mount_point() + "/foo").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  ExpectFailure({"unmount", mount_point()}, 5, {std::to_string(::getpid()), "--wait"});
  const pid_t waiting = StartKvfs({"unmount", "--wait", mount_point()});
  ExpectMounted(true);
  ::close(file);
  EXPECT_EQ(AwaitExit(waiting), 0);
  ExpectMounted(false);
}

TEST_F(Control, DoctorTellsWhatIsAmiss) {
  Mount();
  KillDaemon();
  const ProgramRun run = RunKvfs({"doctor"});
  EXPECT_NE(run.out.find("/dev/fuse can be opened"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("kvfs unmount " + mount_point()), std::string::npos) << run.out;
}

TEST_F(Control, DoctorAndCreateTellOfTheFileSystem) {
  const std::string path = "/dev/shm/kvfs-test-" + std::to_string(::getpid());
  const ProgramRun created = RunKvfs({"create", path});
  EXPECT_EQ(created.status, 0) << created.err;
  EXPECT_NE(created.err.find("in memory: nothing outlives the machine"), std::string::npos)
      << created.err;
  const ProgramRun run = RunKvfs({"doctor", path});
  EXPECT_NE(run.out.find("note     " + path + " lies on a file system that is in memory"),
            std::string::npos)
      << run.out;
  RunShell("rm -rf '" + path + "'");
}

TEST(Manual, EveryCommandShowsAnExample) {
  const std::string page = RunKvfs({"manual"}).out;
  std::string commands =
      RunShell("'" + ProgramPath() + "' --help | sed -n 's/^  \\([a-z]*\\)  .*/\\1/p'").out;
  EXPECT_GT(commands.size(), 100u);
  std::istringstream names(commands);
  for (std::string name; names >> name;) {
    const ProgramRun help = RunKvfs({name, "--help"});
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_NE(help.out.find("Example: "), std::string::npos) << name;
    EXPECT_NE(page.find(".SS \\fBkvfs " + name + "\\fR"), std::string::npos) << name;
  }
}

TEST(Manual, IsAManualPage) {
  const ProgramRun run =
      RunShell("'" + ProgramPath() + "' manual | groff -man -ww -Tutf8 2>&1 >/dev/null");
  EXPECT_EQ(run.out, "");
}

TEST(Completion, BashCompletesCommandsAndOptions) {
  const auto run = [&](const std::string& script) {
    return RunShell("bash -c '" + script + "; _kvfs; echo \"${COMPREPLY[@]}\"'").out;
  };
  const std::string load = "eval \"$(\"" + ProgramPath() + "\" completion bash)\"; ";
  EXPECT_EQ(run(load + "COMP_WORDS=(kvfs unm); COMP_CWORD=1"), "unmount\n");
  EXPECT_EQ(run(load + "COMP_WORDS=(kvfs put --if-a); COMP_CWORD=2"), "--if-absent\n");
}

TEST(Completion, OtherShellsGetOneToo) {
  for (const char* shell : {"zsh", "fish"}) {
    const ProgramRun run = RunKvfs({"completion", shell});
    EXPECT_EQ(run.status, 0);
    EXPECT_NE(run.out.find("if-absent"), std::string::npos) << run.out;
  }
  EXPECT_EQ(RunKvfs({"completion", "csh"}).status, 1);
}

}  // namespace
}  // namespace kvfs::cli
