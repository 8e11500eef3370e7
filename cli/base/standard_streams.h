// Standard streams that the caller has closed.
//
// The system gives a new file the lowest free number. So where a stream is closed, the next file
// that is opened takes its place, and what is read from standard input, or written for a person,
// meets that file: the value of a key once went over a store's superblock.
#pragma once

#include "cli/base/command_result.h"

namespace kvfs::cli {

// Takes the numbers of closed streams, for as long as the process lives, with what can be neither
// read nor written. To be called before anything is opened. The programs that this one starts
// inherit it. False, with errno set, if a number could not be taken.
[[nodiscard]] bool OccupyClosedStreams();

// Whether the stream, as STDIN_FILENO, was closed when the program began.
bool IsClosedStream(int stream);

// kIoFailed, in words, if the stream was closed: before anything is done that would be for nothing.
CommandResult<> RequireStandardInput();
CommandResult<> RequireStandardOutput();

// What a write to standard output that failed with this errno is for the caller: kNoSpace where
// what it leads to has no room, else kIoFailed.
CommandError OutputFailure(int error_number);
// Sends what was printed on its way.
CommandResult<> FlushOutput();

}  // namespace kvfs::cli
