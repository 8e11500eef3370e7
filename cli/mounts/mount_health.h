// Checks a mount from outside without waiting for its daemon.
#pragma once

#include <string>
#include <vector>

#include <kvfs/status.h>

namespace kvfs::cli {

enum class MountHealth {
  kAnswers,
  kDead,    // its daemon is gone: every access fails (ENOTCONN)
  kSilent,  // the daemon has not answered for a second: stopped, or very busy
};
// Wait for a second at most, for all mounts together.
MountHealth LookAtMount(const std::string& mount_point);
std::vector<MountHealth> LookAtMounts(const std::vector<std::string>& mount_points);
// After LookAtMount has found a mount silent: waits for its answer up to the wait limit.
MountHealth AwaitHealth(const std::string& mount_point);

// ResolvePath (cli/base/paths.h) for a path that may lead through a mount: kIo if the mount's
// daemon does not answer within the wait limit. A mount point itself is resolved without accessing
// the mount.
Result<std::string> ResolvePlace(const std::string& path);

// Call it before using a file that may be in a mount, or a tree with mounts below: kIo if the
// mount's daemon does not answer within the wait limit. From then on the mount is watched
// (cli/mounts/mount_watch.h). Other faults of the path show when it is used. "-" is not a path.
Result<void> AwaitAnswer(const std::string& path);

}  // namespace kvfs::cli
