// A command of the program: its definition on a parser, and the function that runs it.
//
// Each command is a file that defines one function Define<Name>, and a line of the table in
// commands.cc. The function adds options, positionals and the help text to the parser, and returns
// the function that runs the command after parsing.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

#include "cli/base/command_result.h"

namespace kvfs::cli {

using Runner = std::function<CommandResult<>()>;

struct Command {
  const char* name;
  const char* summary;  // one line for `kvfs --help`
  Runner (*define)(CLI::App& parser);
  // The exit status for the command's result.
  int (*status)(ExitCode code) = OwnStatus;
  // Whether it may wait for another process, and so has --timeout.
  bool waits = true;
  // Whether its files are watched (cli/mounts/mount_watch.h).
  bool is_watched = true;
};

// Adds what the command's own definition adds, and the options of all commands.
Runner DefineWhole(const Command& command, CLI::App& parser);

// All commands, in the order of the help.
std::span<const Command> Commands();

const Command* FindCommand(std::string_view name);

// For commands that take any number of paths: the parser would split a list positional that looks
// like "[a,b]", so all paths after the first are the parser's leftovers, including "--" if the
// command line has it. Appends them to `paths`. kUsage if one of them is an option.
CommandResult<> TakeFurtherPaths(const std::vector<std::string>& leftovers,
                                 std::vector<std::string>& paths);

Runner DefineCreate(CLI::App& parser);
Runner DefineMount(CLI::App& parser);
Runner DefineUnmount(CLI::App& parser);
Runner DefineGet(CLI::App& parser);
Runner DefinePut(CLI::App& parser);
Runner DefineDel(CLI::App& parser);
Runner DefineLs(CLI::App& parser);
Runner DefineAppend(CLI::App& parser);
Runner DefineMv(CLI::App& parser);
Runner DefineMkdir(CLI::App& parser);
Runner DefineStat(CLI::App& parser);
Runner DefineFind(CLI::App& parser);
Runner DefineBatch(CLI::App& parser);
Runner DefineImport(CLI::App& parser);
Runner DefineExport(CLI::App& parser);
Runner DefineStatus(CLI::App& parser);
Runner DefineDoctor(CLI::App& parser);
Runner DefineCompletion(CLI::App& parser);
Runner DefineManual(CLI::App& parser);
Runner DefineCheck(CLI::App& parser);
Runner DefineRepair(CLI::App& parser);
Runner DefineCompact(CLI::App& parser);
Runner DefineStats(CLI::App& parser);
Runner DefineTop(CLI::App& parser);
Runner DefineBench(CLI::App& parser);
Runner DefineDump(CLI::App& parser);
Runner DefineVersion(CLI::App& parser);

}  // namespace kvfs::cli
