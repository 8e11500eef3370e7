// What may never come back, such as any touch of a mount whose daemon does not answer, done in a
// process of its own that can be left behind.
//
// A process that waits for an answer which the daemon has begun to give cannot be killed. So the
// one that is left has none of the caller's descriptors: nobody waits for their end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <kvfs/status.h>

namespace kvfs::cli {

// Called while there is no answer; false ends the waiting.
using WaitsOn = std::function<bool()>;

// Runs `work` in a child, and returns what it has returned. kIo if `waits_on`, which is called some
// times a second, wants no more; kUnavailable if there can be no further process. To be called
// before there are threads: of the caller only what the fork copies is there.
Result<std::string> DoAside(const std::function<std::string()>& work, const WaitsOn& waits_on);

// The same for a glance: waits for a second at most, and says nothing.
Result<std::string> GlanceAside(const std::function<std::string()>& work);
// For several at once: a second for all of them.
std::vector<Result<std::string>> GlanceAside(
    const std::vector<std::function<std::string()>>& works);

}  // namespace kvfs::cli
