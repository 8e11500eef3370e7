// A process in the background whose start is reported to the one that asked for it.
//
// RunInBackground forks before any thread exists. The child leaves the caller's session at once,
// does all the work, and says over a socket either that it is ready or why it will not be. The
// parent returns only then: what it returns is what happened. Once ready, the child lets go of the
// caller's directory and standard streams.
//
// A child whose parent dies before it has heard the report withdraws: the process gets SIGTERM, or
// the work is told that nobody waits. So what was started is reported, or ends.
//
// On the socket: nothing but one byte 0 when ready, which the parent answers with a byte; or the
// exit code as one byte, then the text.
#pragma once

#include <functional>

#include "cli/base/command_result.h"

namespace kvfs::cli {

// Called by the work once, from any thread, when it is ready. False if nobody waits any more: the
// work shall end.
using Ready = std::function<bool()>;
using Work = std::function<CommandResult<>(const Ready& ready)>;

// Runs `work` in a child process. Returns in the parent only; the child exits with the code of
// the work's outcome. kMountFailed if the child dies before it has said anything.
CommandResult<> RunInBackground(const Work& work);

}  // namespace kvfs::cli
