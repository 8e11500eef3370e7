// Trees so deep that all their paths together exceed memory: imports, exports and deletions store
// names, not paths.

#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/store_fixture.h"
#include "tests/support/sanitized.h"

namespace kvfs::cli {
namespace {

constexpr long kMostKiB = 150 << 10;

class DeepTrees : public StoreFixture {
 protected:
  // 2,000 levels with names of 200 bytes: 400 MB of paths. Each level has a file with two names.
  void SetUp() override {
    std::filesystem::create_directory(Path("tree"));
    const ProgramRun made = RunShell("cd '" + Path("tree") + R"(' && python3 -c '
import os
name = "d" * 200
for level in range(2000):
    open("a", "w").close()
    os.link("a", "b")
    os.mkdir(name)
    os.chdir(name)
')");
    ASSERT_EQ(made.status, 0) << made.err;
    Create();
  }
  // Paths too long for a removal by path.
  void TearDown() override { RunShell("cd '" + directory() + "' && rm -rf tree copy"); }

  void ExpectLittleMemory(const std::vector<std::string>& arguments) {
    const pid_t process = StartKvfs(arguments);
    int status = -1;
    rusage used{};
    ASSERT_EQ(::wait4(process, &status, 0, &used), process);
    EXPECT_EQ(status, 0);
    if (!kIsSanitized) {
      EXPECT_LT(used.ru_maxrss, kMostKiB) << arguments[0];
    }
  }
};

TEST_F(DeepTrees, AreTakenInWrittenOutAndDeletedInLittleMemory) {
  ExpectLittleMemory({"import", Path("tree"), store()});
  ExpectLittleMemory({"export", "--to", "tree", store(), Path("copy")});
  const std::string count = "' -printf '%y %n\\n' | sort | uniq -c";
  EXPECT_EQ(RunShell("find '" + Path("copy") + count).out,
            RunShell("find '" + Path("tree") + count).out);
  ExpectLittleMemory({"del", "-r", store(), std::string(200, 'd')});
  EXPECT_EQ(RunKvfs({"ls", store()}).out, "a\nb\n");
}

}  // namespace
}  // namespace kvfs::cli
