// Handles standard streams that the caller has closed.
//
// The system gives a new file the lowest free number. So if a stream is closed, the next opened
// file takes its number, and reads of standard input, or messages, go to that file: a key's value
// once overwrote a store's superblock.
#pragma once

#include "cli/base/command_result.h"

namespace kvfs::cli {

// Occupies the numbers of closed streams, for the life of the process, with descriptors that can be
// neither read nor written. Call it before any file is opened. Child programs inherit them. False,
// with errno set, if a number could not be occupied.
[[nodiscard]] bool OccupyClosedStreams();

// Whether the stream, such as STDIN_FILENO, was closed at program start.
bool IsClosedStream(int stream);

// kIoFailed, with a message, if the stream was closed: for a check before any work is done in vain.
CommandResult<> RequireStandardInput();
CommandResult<> RequireStandardOutput();

// The error for a write to standard output that failed with this errno: kNoSpace if its disk is
// full, otherwise kIoFailed.
CommandError OutputFailure(int error_number);
// Flushes standard output.
CommandResult<> FlushOutput();

}  // namespace kvfs::cli
