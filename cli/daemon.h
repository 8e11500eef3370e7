// A process in the background whose start is reported to the one that asked for it.
//
// RunInBackground forks before any thread exists. The child leaves the caller's session at once,
// does all the work, and says over a pipe either that it is ready or why it will not be. The parent
// returns only then: what it returns is what happened. Once ready, the child lets go of the
// caller's directory and standard streams.
//
// On the pipe: nothing but one byte 0 when ready; or the exit code as one byte, then the text.
#pragma once

#include <functional>

#include "cli/failure.h"

namespace kvfs::cli {

// Called by the work once, from any thread, when it is ready. False if nobody waits any more: the
// work shall end.
using Ready = std::function<bool()>;
using Work = std::function<Outcome(const Ready& ready)>;

// Runs `work` in a child process. Returns in the parent only; the child exits with the code of
// the work's outcome. kMountFailed if the child dies before it has said anything.
Outcome RunInBackground(const Work& work);

}  // namespace kvfs::cli
