// What //:install installs suffices for a program outside this tree: the example is compiled with
// g++ and pkg-config, and works like the one built by Bazel.

#include <filesystem>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

class InstalledLibrary : public StoreFixture {
 protected:
  void SetUp() override {
    const ProgramRun installed = RunShell("./install --prefix '" + Prefix() + "'");
    ASSERT_EQ(installed.status, 0) << installed.err;
  }
  std::string Prefix() const { return directory() + "/prefix"; }
  std::string PkgConfig(const std::string& what) {
    const ProgramRun run =
        RunShell("PKG_CONFIG_PATH='" + Prefix() + "/lib/pkgconfig' pkg-config " + what + " kvfs");
    EXPECT_EQ(run.status, 0) << run.err;
    return run.out.substr(0, run.out.find('\n'));
  }
  // In a separate directory, from a copy of the source.
  ProgramRun Compile() {
    const std::string source = directory() + "/elsewhere/settings.cc";
    std::filesystem::create_directory(directory() + "/elsewhere");
    std::filesystem::copy_file("examples/settings.cc", source);
    return RunShell("cd '" + directory() + "/elsewhere' && g++ -Wall -Wextra -Werror settings.cc " +
                    PkgConfig("--cflags --libs") + " -o settings");
  }
  ProgramRun Example(const std::string& program) {
    return RunShell("'" + program + "' '" + store() + "'");
  }
};

TEST_F(InstalledLibrary, TheExampleIsBuiltByGppAndPkgConfig) {
  const ProgramRun compiled = Compile();
  ASSERT_EQ(compiled.status, 0) << compiled.err;
  const std::string program = directory() + "/elsewhere/settings";
  const ProgramRun first = Example(program);
  EXPECT_EQ(first.status, 0) << first.err;
  for (const char* line : {"start 1\n", "absent is no error\n", "greeting = hello\n",
                           "window.width = 1280\n", "window.height = 720\n", "starts = 1\n"}) {
    EXPECT_NE(first.out.find(line), std::string::npos) << line << first.out;
  }
  EXPECT_EQ(Example(program).out.substr(0, 8), "start 2\n");
  ExpectValue("starts", "2");
  EXPECT_EQ(Example("examples/settings").out.substr(0, 8), "start 3\n");
  EXPECT_EQ(RunKvfs({"check", store()}).status, 0);
}

TEST_F(InstalledLibrary, TheExampleTellsWhoHasTheStore) {
  Create();
  Mount();
  const ProgramRun run = Example("examples/settings");
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find(std::to_string(DaemonPid())), std::string::npos) << run.err;
}

TEST_F(InstalledLibrary, TheVersionIsThatOfTheProgram) {
  EXPECT_EQ(
      "kvfs " + PkgConfig("--modversion"),
      RunShell("'" + ProgramPath() + "' version | head -n 1 | cut -d ' ' -f 1,2 | tr -d '\\n'")
          .out);
}

// Each header compiles alone.
TEST_F(InstalledLibrary, EachHeaderCompilesAlone) {
  const std::string flags = PkgConfig("--cflags");
  const ProgramRun run = RunShell(
      "cd '" + Prefix() + "/include' && for h in kvfs/*.h; do echo \"#include <$h>\" | g++ " +
      flags + " -Wall -Wextra -Werror -fsyntax-only -x c++ - || exit 1; done; ls kvfs | wc -l");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out, "10\n");
}

}  // namespace
}  // namespace kvfs::cli
