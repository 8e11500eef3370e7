// Runs work that may block for ever, such as any access to a mount whose daemon does not answer, in
// a child process that can be abandoned.
//
// A process that waits for a reply which the daemon has begun to process cannot be killed. So the
// child has none of the caller's descriptors: nothing waits for it to close them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <kvfs/status.h>

namespace kvfs::cli {

// Called while there is no answer; returning false ends the wait.
using WaitsOn = std::function<bool()>;

// Runs `work` in a child, and returns its result. kIo if `waits_on`, called several times a second,
// returns false; kUnavailable if no process can be started. Call it before any thread is started:
// the child is a plain fork of the caller.
Result<std::string> DoAside(const std::function<std::string()>& work, const WaitsOn& waits_on);

// The same for a quick check: waits for a second at most, silently.
Result<std::string> GlanceAside(const std::function<std::string()>& work);
// Several at once: a second for all of them together.
std::vector<Result<std::string>> GlanceAside(
    const std::vector<std::function<std::string()>>& works);

}  // namespace kvfs::cli
