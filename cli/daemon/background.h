// A background process whose start is reported to its parent.
//
// RunInBackground forks before any thread exists. The child leaves the caller's session at once,
// does all the work, and reports over a socket that it is ready, or why it failed. The parent
// returns only then, with that result. Once ready, the child releases the caller's directory and
// standard streams.
//
// If the parent dies before it has received the report, the child stops: it gets SIGTERM, or Ready
// returns false. So a started process is either reported, or ends.
//
// On the socket: one byte 0 when ready, which the parent acknowledges with a byte; or the exit code
// as one byte, then the text.
#pragma once

#include <functional>

#include "cli/base/command_result.h"

namespace kvfs::cli {

// Called by the work once, from any thread, when it is ready. False if nobody waits any more: the
// work must end.
using Ready = std::function<bool()>;
using Work = std::function<CommandResult<>(const Ready& ready)>;

// Runs `work` in a child process. Returns in the parent only; the child exits with the exit code of
// the work's result. kMountFailed if the child dies without a report.
CommandResult<> RunInBackground(const Work& work);

}  // namespace kvfs::cli
