// The program `kvfs`: finds the command, has its arguments read, runs it, tells how it ended.
//
// The first argument names the command. `kvfs STORE MOUNTPOINT ...`, whose first argument is
// neither a command nor an option, is `kvfs mount STORE MOUNTPOINT ...`: that is how mount(8) calls
// a file system of type fuse.kvfs. Called by the name mount.kvfs the program is mount(8)'s helper
// for the type kvfs.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/mount_helper.h"

namespace kvfs::cli {
namespace {

using Arguments = std::vector<std::string>;

std::string ProgramHelp() {
  std::string text =
      "kvfs: a key-value store that you use as files\n\n"
      "Usage: kvfs COMMAND ...\n"
      "       kvfs STORE MOUNTPOINT [-o OPTION,...]    the same as kvfs mount\n\n";
  for (const Command& command : Commands()) {
    text += fmt::format("  {:<8}  {}\n", command.name, command.summary);
  }
  return text + "\n`kvfs COMMAND --help` tells more about each.\n";
}

const Command* FindCommand(std::string_view name) {
  const auto commands = Commands();
  const auto found =
      std::ranges::find_if(commands, [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

int Report(const Outcome& outcome) {
  if (outcome) return static_cast<int>(ExitCode::kOk);
  fmt::print(stderr, "kvfs: {}\n", outcome.error().text);
  return static_cast<int>(outcome.error().code);
}

int Run(const Command& command, Arguments arguments) {
  const std::string name = fmt::format("kvfs {}", command.name);
  CLI::App parser(command.summary, name);
  const Runner runner = command.define(parser);
  std::ranges::reverse(arguments);  // as the parser takes them
  try {
    parser.parse(arguments);
  } catch (const CLI::Success&) {
    fmt::print("{}", parser.help());
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::Error& error) {
    return Report(Stop(ExitCode::kUsage,
                       fmt::format("{}; `{} --help` tells how to call it", error.what(), name)));
  }
  return Report(runner());
}

int RunBare(const Arguments& arguments) {
  const std::string& first = arguments.front();
  if (first == "-h" || first == "--help" || first == "help") {
    fmt::print("{}", ProgramHelp());
    return static_cast<int>(ExitCode::kOk);
  }
  if (first == "-V" || first == "--version") return Run(*FindCommand("version"), {});
  const bool option = first.starts_with('-');
  if (option || arguments.size() == 1) {
    return Report(Stop(ExitCode::kUsage, fmt::format("unknown {} {}; `kvfs --help` lists them",
                                                     option ? "option" : "command", first)));
  }
  return Run(*FindCommand("mount"), arguments);
}

int Main(const std::string& program, const Arguments& arguments) {
  if (std::filesystem::path(program).filename() == kMountHelperName) {
    return RunMountHelper(arguments);
  }
  if (arguments.empty()) {
    fmt::print(stderr, "{}", ProgramHelp());
    return static_cast<int>(ExitCode::kUsage);
  }
  const Command* const command = FindCommand(arguments.front());
  if (command == nullptr) return RunBare(arguments);
  return Run(*command, Arguments(arguments.begin() + 1, arguments.end()));
}

}  // namespace
}  // namespace kvfs::cli

int main(int argc, char** argv) {
  return kvfs::cli::Main(argc > 0 ? argv[0] : "kvfs",
                         std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
