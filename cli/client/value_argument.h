// A value as commands take it: an argument, a file, or standard input.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

struct ValueArgument {
  std::string text;
  std::string file;
  CLI::Option* option = nullptr;  // that of `text`
};

// Adds VALUE and --file to the parser. `value` must live as long as it.
void DefineValue(CLI::App& parser, ValueArgument& value);

// kIoFailed if the file cannot be opened.
CommandResult<ByteSource> OpenValue(const ValueArgument& value);

// Whether the value may come slowly, or never: from what is no regular file.
bool MayWait(const ValueArgument& value);

// All that the source gives; kTooLarge above kMaxBatchBytes.
Result<std::string> ReadWhole(const ByteSource& source);

}  // namespace kvfs::cli
