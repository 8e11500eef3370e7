// Values as byte streams between the command line and a store.
#pragma once

#include <string>

#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

// Writes everything to standard output.
ByteSink StandardOutput();
// The same for a descriptor, which must outlive the sink; errors use the name.
ByteSink ToDescriptor(int file, std::string name);
ByteSource FromDescriptor(int file, std::string name);
// Calls `on_silence` before it waits, if no bytes have arrived for half a second.
ByteSource FromSlowDescriptor(int file, std::string name, std::function<void()> on_silence);

ByteSource FromText(std::string text);
// kIoFailed if it is closed.
CommandResult<ByteSource> FromStandardInput();
// kIoFailed if the file cannot be opened.
CommandResult<ByteSource> FromFile(const std::string& path);

}  // namespace kvfs::cli
