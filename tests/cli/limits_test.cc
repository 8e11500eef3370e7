// Limits of the process: they cause an error that names them, never a signal, and never a report of
// damage. And deep trees, which cost neither stack nor descriptors.
#include <fstream>
#include <string>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

constexpr int kDepth = 1500;

class Limits : public StoreFixture {
 protected:
  void SetUp() override {
    Create();
    std::string deep = "d";
    for (int i = 1; i < kDepth; ++i) deep += "/d";
    Run({"mkdir", "--parents", store(), deep});
    Put(deep + "/f", "value");
  }
  // Success, or a refusal by the operating system: 9 and 12, and 8 for a check.
  void ExpectNoCrash(const std::string& limit, const std::string& command) {
    const ProgramRun run =
        RunShell(limit + " && exec timeout 50 '" + ProgramPath() + "' " + command + " > /dev/null");
    EXPECT_TRUE(run.status == 0 || run.status == 8 || run.status == 9 || run.status == 12)
        << limit << "; " << command << ": " << run.status << " " << run.err.substr(0, 300);
    EXPECT_EQ(run.err.find("damage"), std::string::npos) << run.err.substr(0, 300);
  }
};

TEST_F(Limits, OfStackFilesAndFileSizeAreNoCrash) {
  const std::string at = "'" + store() + "'";
  int number = 0;
  for (const char* limit : {"ulimit -s 192", "ulimit -n 30", "ulimit -n 12", "ulimit -f 100"}) {
    const std::string fresh = "'" + Path("new" + std::to_string(++number)) + "'";
    for (const std::string& command :
         {"find " + at, "ls -R " + at, "export " + at + " -", "export --to jsonl " + at + " -",
          "export --to tree " + at + " " + fresh, "check " + at, "stats " + at,
          "put " + at + " key value", "repair " + at + " " + fresh + "-repaired",
          "create " + fresh + "-created"}) {
      ExpectNoCrash(limit, command);
    }
  }
  Run({"check", store()});
}

// Above a file size limit, here 2 MiB: not reported as a full disk, and the limit is named.
class FileSizes : public StoreFixture {
 protected:
  void SetUp() override { Create(); }
};

TEST_F(FileSizes, ALimitIsToldAsSuch) {
  const std::string large(9 << 20, 'x');
  Run({"put", store(), "large"}, large);
  Put("small", "x");
  std::ofstream(Path("large")) << large;
  const auto limited = [&](const std::string& command) {
    return RunShell("ulimit -f 4096; cd '" + directory() + "'; '" + ProgramPath() + "' " + command);
  };
  for (const char* command :
       {"put store other < large", "import --from tree large store", "export store out.tar",
        "export --to jsonl store > out", "get store large > out"}) {
    SCOPED_TRACE(command);
    const ProgramRun run = limited(command);
    EXPECT_EQ(run.status, 9) << run.err;
    EXPECT_NE(run.err.find("ulimit -f"), std::string::npos) << run.err;
  }
  // The tree contains the files that do not exceed the limit.
  const ProgramRun run = limited("export --to tree store tree");
  EXPECT_EQ(run.status, 13) << run.err;
  EXPECT_NE(run.err.find("left out large: "), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("ulimit -f"), std::string::npos) << run.err;
  Shell("test \"$(ls '" + Path("tree") + "')\" = small");
}

// The system itself needs some 12 KiB before the program begins, which the program cannot avoid.
TEST_F(Limits, OfTheStackAreNoMatter) {
  const std::string at = "'" + store() + "'";
  for (const char* limit : {"ulimit -s 20", "ulimit -s 24", "ulimit -s 32", "ulimit -s 64"}) {
    for (const std::string& command :
         {std::string("version"), std::string("manual"), std::string("--help"),
          "put " + at + " key value", "get " + at + " key", "ls -R " + at, "find " + at,
          "stat " + at + " key", "export " + at + " -", "export --to jsonl " + at + " -",
          "check " + at, "compact " + at, "stats " + at, "dump " + at + "/superblock",
          "del " + at + " key"}) {
      const ProgramRun run = RunShell(std::string(limit) + " && exec '" + ProgramPath() + "' " +
                                      command + " > /dev/null");
      EXPECT_EQ(run.status, 0) << limit << "; " << command << ": " << run.err.substr(0, 300);
    }
  }
}

}  // namespace
}  // namespace kvfs::cli
