// Runs the recipes of docs/guide.md as a user would who copies them: each indented block, in order,
// with bash. Only system-wide paths are replaced: /backup and /data are in the test's directory.
//
// A line with the comment "until ^C" runs for a second. A block that contains /etc (lines of fstab,
// systemd services) is skipped.
//
// Also runs the session of README.md, and compares its output.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/store_fixture.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

// The guide's blocks of commands.
std::vector<std::string> Blocks(std::istream& text) {
  std::vector<std::string> blocks;
  bool is_inside = false;
  for (std::string line; std::getline(text, line);) {
    const bool is_code = line.starts_with("    ");
    if (is_code && !is_inside) blocks.emplace_back();
    if (is_code) blocks.back() += line.substr(4) + "\n";
    if (is_code || !line.empty()) is_inside = is_code;
  }
  return blocks;
}

// A command of the session, and its whole output.
struct Shown {
  std::string command;
  std::string text;
};
std::string WithoutNumbers(const std::string& text) {
  return std::regex_replace(text, std::regex("process [0-9]+"), "process N");
}
std::vector<Shown> Session(const std::string& block) {
  std::vector<Shown> session;
  std::istringstream lines(block);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("$ ")) {
      session.push_back({line.substr(2), ""});
    } else if (!session.empty()) {
      session.back().text += line + "\n";
    }
  }
  return session;
}

class Guide : public StoreFixture {
 protected:
  void SetUp() override {
    for (const char* name : {"home", "bin", "backup", "data"}) stdfs::create_directory(Path(name));
    stdfs::create_symlink(ProgramPath(), Path("bin/kvfs"));
    std::ofstream(Path("data/long.log")) << "a line\n";
  }

  static bool IsForTheSystem(const std::string& block) {
    return block.starts_with("/") || block.find("/etc/") != std::string::npos;
  }
  ProgramRun RunScript(const std::string& script) {
    std::ofstream(Path("script")) << script;
    return RunShell("cd '" + Path("home") + "' && HOME=$PWD PATH='" + Path("bin") +
                    "':$PATH bash ../script");
  }
  ProgramRun Run(const std::string& block) {
    std::string script =
        std::regex_replace(block, std::regex(" (/backup|/data)/"), " " + directory() + "$1/");
    script = std::regex_replace(script, std::regex("(.*)# until \\^C\n"),
                                "timeout 1 $1|| [ $$? = 124 ]\n");
    return RunScript("set -euo pipefail\n" + script);
  }
  // The output of a command, as the user "me" would see it.
  std::string Write(const std::string& command) {
    std::string text = RunScript("exec 2>&1\n" + command + "\n").out;
    text = std::regex_replace(text, std::regex(Path("home")), "/home/me");
    return std::regex_replace(text, std::regex("\n\n"), "\n");
  }
};

TEST_F(Guide, EachRecipeWorksAsItStands) {
  std::ifstream text("docs/guide.md");
  const std::vector<std::string> blocks = Blocks(text);
  ASSERT_GT(blocks.size(), 10u);
  for (const std::string& block : blocks) {
    if (IsForTheSystem(block)) continue;
    const ProgramRun run = Run(block);
    EXPECT_EQ(run.status, 0) << block << run.out << run.err;
  }
  EXPECT_EQ(Run("kvfs get ~/store theme").out, "dark");
  EXPECT_EQ(Run("kvfs get ~/store jobs/done/picture-7").out, "resize picture 7\n");
  EXPECT_EQ(Run("kvfs get ~/restored balance/b; kvfs get ~/from-lmdb theme").out, "10dark");
  EXPECT_EQ(Run("kvfs get ~/store.new counter").out, "2\n");
}

TEST_F(Guide, TheReadmeShowsWhatHappens) {
  std::ifstream text("README.md");
  for (const std::string& block : Blocks(text)) {
    for (const Shown& shown : Session(block)) {
      if (shown.command.find("include") != std::string::npos) continue;  // differs between systems
      // There may be other mounts.
      EXPECT_THAT(WithoutNumbers(Write(shown.command)),
                  testing::HasSubstr(WithoutNumbers(shown.text)))
          << shown.command;
    }
  }
  EXPECT_EQ(Write("kvfs get ~/store jobs/1"), "bar\n");
}

}  // namespace
}  // namespace kvfs::cli
