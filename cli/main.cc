// The program `kvfs`: finds the command, parses its arguments, runs it, reports the result.
//
// The first argument names the command. `kvfs STORE MOUNTPOINT ...`, whose first argument is
// neither a command nor an option, is `kvfs mount STORE MOUNTPOINT ...`: this is how mount(8) calls
// a file system of type fuse.kvfs. Under the name mount.kvfs the program is mount(8)'s helper for
// the type kvfs, under the name fsck.kvfs it is `kvfs check`.

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/base/ample_stack.h"
#include "cli/base/nearest.h"
#include "cli/base/standard_streams.h"
#include "cli/base/user_message.h"
#include "cli/commands/command.h"
#include "cli/commands/mount_helper.h"

namespace kvfs::cli {
namespace {

using Arguments = std::vector<std::string>;

constexpr std::string_view kFsckName = "fsck.kvfs";

std::string ProgramHelp() {
  std::string text =
      "kvfs: a key-value store that you use as files\n\n"
      "Usage: kvfs COMMAND ...\n"
      "       kvfs STORE MOUNTPOINT [-o OPTION,...]    the same as kvfs mount\n\n";
  for (const Command& command : Commands()) {
    text += fmt::format("  {:<10}  {}\n", command.name, command.summary);
  }
  return text + "\n`kvfs COMMAND --help` shows more about each.\n";
}

ExitCode Report(const CommandResult<>& outcome) {
  // Output may still be buffered.
  const CommandResult<> written = FlushOutput();
  const CommandResult<>& told = outcome ? written : outcome;
  if (told) return ExitCode::kOk;
  Tell(Severity::kError, told.error().text);
  return told.error().code;
}

// A store of 256 shards has more than 512 files; the soft limit is usually 1024, and often less.
void RaiseFileLimit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

// Makes a write beyond RLIMIT_FSIZE an error, instead of a signal that kills the program. The
// signal is not ignored, since child programs would inherit that.
void LetSizeLimitBeAnError() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGXFSZ, &action, nullptr);
}

// The formatter throws if standard output cannot be written.
CommandResult<> RunGuarded(const Runner& runner) {
  try {
    return runner();
  } catch (const std::bad_alloc&) {
    return Fail(ExitCode::kIoFailed, "out of memory");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again) {
      return Fail(ExitCode::kIoFailed, "this process cannot start another thread");
    }
    return tl::unexpected(OutputFailure(error.code().value()));
  }
}

int Run(const Command& command, Arguments arguments) {
  const std::string name = fmt::format("kvfs {}", command.name);
  CLI::App parser(command.summary, name);
  const Runner runner = DefineWhole(command, parser);
  std::ranges::reverse(arguments);  // as the parser takes them
  try {
    parser.parse(arguments);
  } catch (const CLI::Success&) {
    fmt::print("{}", parser.help());
    return command.status(Report({}));
  } catch (const CLI::Error& error) {
    return command.status(Report(Fail(
        ExitCode::kUsage, fmt::format("{}; `{} --help` shows the usage", error.what(), name))));
  }
  try {
    return command.status(Report(RunGuarded(runner)));
  } catch (const std::bad_alloc&) {  // not even for the message
    std::fputs("kvfs: out of memory\n", stderr);
    return command.status(ExitCode::kIoFailed);
  }
}

// fsck(8) passes on flags that have no effect on a check.
Arguments WithoutFsckFlags(Arguments arguments) {
  std::erase_if(arguments, [](const std::string& argument) {
    return argument == "-a" || argument == "-p" || argument == "-n" || argument == "-y" ||
           argument == "-f" || argument == "-v";
  });
  return arguments;
}

ExitCode ReportUnknown(std::string_view kind, const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command& command : Commands()) names.emplace_back(command.name);
  const auto nearest = NearestOf(word, names);
  return Report(Fail(
      ExitCode::kUsage,
      fmt::format("unknown {} {}{}; `kvfs --help` lists them", kind, word,
                  nearest ? fmt::format(", did you mean `kvfs {}`?", *nearest) : std::string())));
}

// Whether `kvfs WORD ...` can mean mounting the store WORD: only if it exists, or is to be created.
bool CanBeStore(const std::string& word, const Arguments& arguments) {
  std::error_code error;
  if (word.find('/') != std::string::npos || std::filesystem::exists(word, error) || error) {
    return true;
  }
  return std::ranges::find(arguments, "--create") != arguments.end();
}

// Help for the program, or for the named command.
int Help(const Arguments& arguments) {
  if (arguments.size() == 1) {
    fmt::print("{}", ProgramHelp());
    return OwnStatus(Report({}));
  }
  const Command* const command = FindCommand(arguments[1]);
  if (command == nullptr) return OwnStatus(ReportUnknown("command", arguments[1]));
  return Run(*command, {"--help"});
}

int RunBare(const Arguments& arguments) {
  const std::string& first = arguments.front();
  if (first == "-h" || first == "--help" || first == "help") return Help(arguments);
  if (first == "-V" || first == "--version") return Run(*FindCommand("version"), {});
  const bool option = first.starts_with('-');
  if (option || arguments.size() == 1 || !CanBeStore(first, arguments)) {
    return OwnStatus(ReportUnknown(option ? "option" : "command", first));
  }
  return Run(*FindCommand("mount"), AsMountFuseMeansIt(arguments));
}

int Main(const std::string& program, const Arguments& arguments) {
  // Standard error may be closed, too.
  if (!OccupyClosedStreams()) return static_cast<int>(ExitCode::kIoFailed);
  // The caller may ignore SIGCHLD, and then the exits of children would not be reported.
  std::signal(SIGCHLD, SIG_DFL);
  RaiseFileLimit();
  LetSizeLimitBeAnError();
  const std::string name = std::filesystem::path(program).filename().string();
  if (name == kMountHelperName) return RunMountHelper(arguments);
  if (name == kFsckName) return Run(*FindCommand("check"), WithoutFsckFlags(arguments));
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
  return kvfs::cli::OnAmpleStack([&] {
    return kvfs::cli::Main(argc > 0 ? argv[0] : "kvfs",
                           std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  });
}
