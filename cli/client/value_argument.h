// The value argument of a command: text, a file, or standard input.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

struct ValueArgument {
  std::string text;
  std::string file;
  CLI::Option* option = nullptr;  // for `text`
};

// Adds VALUE and --file to the parser, which `value` must outlive.
void DefineValue(CLI::App& parser, ValueArgument& value);

// kIoFailed if the file cannot be opened.
CommandResult<ByteSource> OpenValue(const ValueArgument& value);

// Whether the source may be slow, or block for ever: anything but a regular file.
bool MayWait(const ValueArgument& value);

// Reads the source to its end; kTooLarge above kMaxBatchBytes.
Result<std::string> ReadWhole(const ByteSource& source);

}  // namespace kvfs::cli
