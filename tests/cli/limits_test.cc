// Limits of the process: an error that says so, never a signal, and never taken for damage; and
// depth of a tree, which costs neither stack nor descriptors.
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
  // Done, or refused by the operating system: 9 and 12, and 8 by a check.
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

}  // namespace
}  // namespace kvfs::cli
