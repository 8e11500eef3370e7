// A command of the program: how it adds itself to the parser, and what then runs it.
//
// Each command is one file that defines one function Define<Name>, and one line of the table in
// commands.cc. A definition adds options, positionals and the help text to the parser it is given,
// and returns the function that does the work once they have been read.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

#include "cli/failure.h"

namespace kvfs::cli {

using Runner = std::function<Outcome()>;

struct Command {
  const char* name;
  const char* summary;  // one line for `kvfs --help`
  Runner (*define)(CLI::App& parser);
};

// All commands, in the order in which the help shows them.
std::span<const Command> Commands();

Runner DefineCreate(CLI::App& parser);
Runner DefineMount(CLI::App& parser);
Runner DefineUnmount(CLI::App& parser);
Runner DefineGet(CLI::App& parser);
Runner DefinePut(CLI::App& parser);
Runner DefineDel(CLI::App& parser);
Runner DefineLs(CLI::App& parser);
Runner DefineVersion(CLI::App& parser);

}  // namespace kvfs::cli
