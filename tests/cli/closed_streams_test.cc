// Every command with every subset of its standard streams closed: it succeeds or reports an error,
// and the store stays intact.

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

constexpr int kInput = 1;
constexpr int kOutput = 2;
constexpr int kErrors = 4;
constexpr int kSubsets = 8;
constexpr int kIoFailed = 12;
constexpr int kOperationalError = 8;  // the same, with fsck's status

struct Case {
  const char* name;
  // For a shell: $K is the program, S the store, M the mount point.
  std::string command;
  int needs = 0;  // streams that it needs
  std::string before = "true";
  std::string after = "true";
};

const std::string kMount = "$K mount S M";
const std::string kUnmount = "$K unmount M";

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"create", "$K create T", 0, "true", "rm -r T"},
      {"mount", kMount, 0, "true", kUnmount},
      {"mount", "$K S M", 0, "true", kUnmount},
      {"mount", "./mount.kvfs S M -o ro", 0, "true", kUnmount},
      {"unmount", kUnmount, 0, kMount},
      {"status", "$K status S", kOutput},
      {"get", "$K get S big", kOutput},
      {"get", "$K get S empty", kOutput},
      {"get", "$K get S big", kOutput, kMount, kUnmount},
      {"put", "$K put S key", kInput},
      {"put", "$K put S key -", kInput, kMount, kUnmount},
      {"put", "$K put S key value"},
      {"append", "$K append S key", kInput},
      {"del", "$K del S gone", 0, "$K put S gone x"},
      {"mv", "$K mv S here there", 0, "$K put S here x"},
      {"mkdir", "$K mkdir S made", 0, "true", "$K del -r S made"},
      {"ls", "$K ls S", kOutput},
      {"stat", "$K stat S big", kOutput},
      {"find", "$K find S 'b*'", kOutput},
      {"batch", "$K batch S", kInput},
      {"import", "$K import --from jsonl - S", kInput},
      {"import", "$K import tree S"},
      {"export", "$K export S -", kOutput},
      {"export", "$K export S archive"},
      {"check", "$K check S", kOutput},
      {"check", "./fsck.kvfs S", kOutput},
      {"repair", "$K repair S T", kOutput, "true", "rm -r T"},
      {"compact", "$K compact S", kOutput},
      {"stats", "$K stats S", kOutput},
      {"top", "$K top --every 0.01 --times 1 M", kOutput, kMount, kUnmount},
      {"bench", "$K bench --values 3 .", kOutput},
      {"dump", "$K dump S/superblock", kOutput},
      {"doctor", "$K doctor S", kOutput},
      {"completion", "$K completion bash", kOutput},
      {"manual", "$K manual", kOutput},
      {"version", "$K version", kOutput},
  };
  return cases;
}

class ClosedStreams : public StoreFixture {
 protected:
  void SetUp() override {
    std::filesystem::create_symlink(ProgramPath(), Path("mount.kvfs"));
    std::filesystem::create_symlink(ProgramPath(), Path("fsck.kvfs"));
    std::filesystem::create_directory(Path("tree"));
    std::filesystem::rename(mount_point(), Path("M"));
    ExpectDone("$K create --shards 1 S; $K put S empty ''; $K put S other value; : > input");
    ExpectDone("head -c 200000 /dev/urandom | $K put S big");
  }

  ProgramRun Do(const std::string& command) const {
    return RunShell("cd '" + directory() + "' && K='" + ProgramPath() + "' && " + command);
  }
  void ExpectDone(const std::string& command) const {
    const ProgramRun run = Do(command);
    EXPECT_EQ(run.status, 0) << command << ": " << run.err;
  }

  static std::string Closing(int subset) {
    std::string text = " < input";
    if ((subset & kInput) != 0) text += " <&-";
    if ((subset & kOutput) != 0) text += " >&-";
    if ((subset & kErrors) != 0) text += " 2>&-";
    return text;
  }

  void Try(const Case& it, int subset) const {
    SCOPED_TRACE(it.command + Closing(subset));
    ExpectDone(it.before);
    const ProgramRun run = Do("{ " + it.command + "; }" + Closing(subset));
    ExpectDone(it.after);
    const int failed = std::string(it.name) == "check" ? kOperationalError : kIoFailed;
    const bool lacks = (it.needs & subset) != 0;
    EXPECT_EQ(run.status, lacks ? failed : 0) << run.err;
    if (lacks && (subset & kErrors) == 0) {
      EXPECT_NE(run.err.find("it is closed"), std::string::npos) << run.err;
    }
    ExpectDone("[ \"$($K get S other)\" = value ] && $K check S > /dev/null");
  }
};

TEST_F(ClosedStreams, NoCommandTakesAFileForAStream) {
  for (const Case& it : Cases()) {
    for (int subset = 0; subset < kSubsets; ++subset) Try(it, subset);
  }
}

// The help lists each on a line: two spaces, the name, and its purpose.
TEST_F(ClosedStreams, AllCommandsAreTried) {
  std::set<std::string> tried;
  for (const Case& it : Cases()) tried.insert(it.name);
  std::istringstream help(RunKvfs({"--help"}).out);
  size_t commands = 0;
  for (std::string line; std::getline(help, line);) {
    if (!line.starts_with("  ") || line.starts_with("   ")) continue;
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    EXPECT_TRUE(tried.contains(name)) << name;
    ++commands;
  }
  EXPECT_EQ(commands, tried.size());
}

TEST_F(ClosedStreams, HelpAndMistakesAreNoSuccessEither) {
  EXPECT_EQ(Do("$K --help >&-").status, kIoFailed);
  EXPECT_EQ(Do("$K ls --help >&-").status, kIoFailed);
  EXPECT_EQ(Do("$K --version >&-").status, kIoFailed);
  EXPECT_EQ(Do("$K lss <&- >&- 2>&-").status, 1);
}

// The same for files that they write.
TEST_F(ClosedStreams, AFullOutputIsToldAlikeByAll) {
  constexpr int kNoSpace = 9;
  ExpectDone("echo value | $K put S key");
  for (const char* command : {"get S key", "ls S", "find S", "stat S key", "stats S",
                              "stats --json S", "doctor", "dump S/superblock", "version", "manual",
                              "completion bash", "compact S", "--help", "export --to jsonl S"}) {
    const ProgramRun run = Do("$K " + std::string(command) + " > /dev/full");
    EXPECT_EQ(run.status, kNoSpace) << command << ": " << run.err;
  }
}

// In the foreground, the daemon keeps its standard streams.
TEST_F(ClosedStreams, AMountInTheForegroundServes) {
  ExpectDone(
      "{ $K mount -f S M <&- >&- 2>&- & "
      "for i in $(seq 1000); do grep -q \" $PWD/M fuse\" /proc/self/mounts && break; sleep 0.01; "
      "done; "
      "echo value > M/key && sync M/key && $K unmount M && wait && "
      "[ \"$($K get S key)\" = value ] && $K check S > /dev/null; }");
}

}  // namespace
}  // namespace kvfs::cli
