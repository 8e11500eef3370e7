// Looking at a mount from outside without waiting for its daemon.
#pragma once

#include <string>
#include <vector>

#include <kvfs/status.h>

namespace kvfs::cli {

enum class MountHealth {
  kAnswers,
  kDead,    // its daemon is gone: every access fails (ENOTCONN)
  kSilent,  // the daemon has not answered for a second: it is stopped, say, or very busy
};
// Waits for a second at most, for all of them together.
MountHealth LookAtMount(const std::string& mount_point);
std::vector<MountHealth> LookAtMounts(const std::vector<std::string>& mount_points);
// After such a look at one that is silent: waits for its answer within the limit for waiting.
MountHealth AwaitHealth(const std::string& mount_point);

// ResolvePath (cli/base/paths.h) for a path that may lead through a mount: kIo, as an error of the
// daemon's, where that does not answer within the limit for waiting. The place of a mount itself is
// found without asking it.
Result<std::string> ResolvePlace(const std::string& path);

// Before a file is used that may lie in a mount, or what has mounts below: kIo if the mount's
// daemon does not answer within the limit for waiting. From then on the mount is watched
// (cli/mounts/mount_watch.h). What else is wrong with the path shows when it is used. "-" is no
// path.
Result<void> AwaitAnswer(const std::string& path);

}  // namespace kvfs::cli
